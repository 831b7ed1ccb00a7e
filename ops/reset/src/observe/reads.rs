//! What the service's tasks read, as their task definition has it: names beside which a given name is right or wrong.

use contract::names::env;
use serde::Serialize;

use crate::{AwsError, Clients, Names};

/// Names in the environment of the tasks; none where the task definition leaves it to the application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reads {
    /// The failure-mode parameter.
    pub parameter: Option<String>,
    /// The database secret, by name or ARN.
    pub secret: Option<String>,
}

impl Reads {
    /// The parameter that the tasks read, where it is not the one of this name or ARN.
    pub fn instead_of(&self, parameter: &str) -> Option<&str> {
        self.parameter.as_deref().filter(|read| plain(read) != plain(parameter))
    }
}

/// The name in an ARN (`arn:…:parameter/golden/failure_mode`), or the name.
fn plain(parameter: &str) -> &str {
    match parameter.split_once(":parameter/") {
        // The slash belongs to a name with levels and is only a separator before one without.
        Some((arn, rest)) if rest.contains('/') => &parameter[arn.len() + ":parameter".len()..],
        Some((_, name)) => name,
        None => parameter,
    }
}

/// What the tasks of the named service read.
///
/// # Errors
/// [`AwsError`] when ECS does not describe the service or its task definition.
pub async fn reads(clients: &Clients, names: &Names) -> Result<Reads, AwsError> {
    const OPERATION: &str = "ecs:DescribeServices";
    let reply = clients.ecs.describe_services().cluster(&names.cluster).services(&names.service).send().await;
    let reply = reply.map_err(AwsError::from_sdk(OPERATION))?;
    let task_definition = reply.services().first().and_then(|service| service.task_definition());
    of(clients, task_definition.ok_or_else(|| AwsError::incomplete(OPERATION, "no such service"))?).await
}

pub(super) async fn of(clients: &Clients, task_definition: &str) -> Result<Reads, AwsError> {
    let reply = clients.ecs.describe_task_definition().task_definition(task_definition).send().await;
    let reply = reply.map_err(AwsError::from_sdk("ecs:DescribeTaskDefinition"))?;
    let containers = reply.task_definition().map(|definition| definition.container_definitions()).unwrap_or_default();
    let value = |name: &str| {
        let mut pairs = containers.iter().flat_map(|container| container.environment());
        pairs.find(|pair| pair.name() == Some(name)).and_then(|pair| pair.value()).map(str::to_owned)
    };
    Ok(Reads { parameter: value(env::PARAM_FAILURE_MODE), secret: value(env::DB_SECRET_ARN) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_arn_are_the_same_parameter() {
        let reads = |name: &str| Reads { parameter: Some(name.into()), secret: None };
        let arn = "arn:aws:ssm:us-west-2:123456789012:parameter/golden/failure_mode";
        assert_eq!(reads("/golden/failure_mode").instead_of(arn), None);
        assert_eq!(reads(arn).instead_of("/golden/failure_mode"), None);
        assert_eq!(reads("flat").instead_of("arn:aws:ssm:us-west-2:123456789012:parameter/flat"), None);
        assert_eq!(reads("/golden/failure_mode").instead_of("/golden/oops"), Some("/golden/failure_mode"));
        assert_eq!(Reads::default().instead_of("/golden/oops"), None, "what is not known is not held against a name");
    }
}
