//! A new revision of the task definition that the service deploys.
//!
//! The revision is registered before the journal knows of it: it changes nothing that runs until the service deploys it.

use serde_json::{Value, json};

use super::{Change, Prepared};
use crate::{Lab, journal::Undo, scenario::Revision};

/// What DescribeTaskDefinition adds to what was registered.
const ANSWERED: [&str; 8] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
];

pub(super) async fn prepare(lab: &Lab, revision: &Revision) -> Result<Prepared, String> {
    let previous = deployed(lab).await?;
    let described = run(
        lab,
        "aws ecs describe-task-definition --task-definition \"$PREVIOUS\" --output json",
        &[("PREVIOUS", &previous)],
    )
    .await?;
    let described: Value = serde_json::from_str(&described).map_err(|error| error.to_string())?;
    let input = changed(described["taskDefinition"].clone(), revision).to_string();
    let made = run(
        lab,
        "aws ecs register-task-definition --cli-input-json \"$INPUT\" --query taskDefinition.taskDefinitionArn --output text",
        &[("INPUT", &input)],
    )
    .await?;
    Ok(Prepared { undo: Undo::Deploy { previous, made: made.clone() }, change: Change::Deploy(made) })
}

/// What is registered for the new revision.
fn changed(mut definition: Value, revision: &Revision) -> Value {
    if let Some(fields) = definition.as_object_mut() {
        fields.retain(|name, _| !ANSWERED.contains(&name.as_str()));
    }
    let container = &mut definition["containerDefinitions"][0];
    if let Some(image) = &revision.image {
        container["image"] = json!(image);
    }
    if !revision.health_check.is_empty() {
        container["healthCheck"]["command"] = json!(revision.health_check);
    }
    if !revision.environment.is_empty() {
        let mut variables = container["environment"].as_array().cloned().unwrap_or_default();
        variables.retain(|pair| !pair["name"].as_str().is_some_and(|name| revision.environment.contains_key(name)));
        variables.extend(revision.environment.iter().map(|(name, value)| json!({"name": name, "value": value})));
        container["environment"] = Value::Array(variables);
    }
    definition
}

async fn run(lab: &Lab, text: &str, values: &[(&str, &str)]) -> Result<String, String> {
    lab.command(text, values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).await
}

/// The revision that the service deploys.
async fn deployed(lab: &Lab) -> Result<String, String> {
    let describe = lab.clients.ecs.describe_services().cluster(&lab.names.cluster).services(&lab.names.service);
    let described = describe.send().await;
    let described = described.map_err(|error| reset::AwsError::from_sdk("ecs:DescribeServices")(error).to_string())?;
    let service = described.services().first().and_then(|service| service.task_definition());
    service.map(str::to_owned).ok_or_else(|| "the service is not described".to_owned())
}

pub(super) async fn set(lab: &Lab, revision: &str) -> Result<(), String> {
    let update = lab.clients.ecs.update_service().cluster(&lab.names.cluster).service(&lab.names.service);
    let updated = update.task_definition(revision).send().await;
    updated.map(drop).map_err(|error| reset::AwsError::from_sdk("ecs:UpdateService")(error).to_string())
}

pub(super) async fn restore(lab: &Lab, previous: &str, made: &str) -> Result<(), String> {
    if deployed(lab).await? == made {
        set(lab, previous).await?;
    }
    // A revision that is no longer active was deregistered by an undo before this one.
    let describe =
        "aws ecs describe-task-definition --task-definition \"$MADE\" --query taskDefinition.status --output text";
    if run(lab, describe, &[("MADE", made)]).await? == "ACTIVE" {
        let deregister = "aws ecs deregister-task-definition --task-definition \"$MADE\" --query taskDefinition.status";
        run(lab, deregister, &[("MADE", made)]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_scenario_names_is_different() {
        let described = json!({
            "taskDefinitionArn": "arn", "revision": 3, "status": "ACTIVE", "family": "golden", "cpu": "256",
            "containerDefinitions": [{"name": "golden", "image": "golden:latest",
                "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]
        });
        let revision = Revision {
            image: Some("golden:no".into()),
            environment: [("A".into(), "9".into())].into(),
            ..Revision::default()
        };
        assert_eq!(
            changed(described, &revision),
            json!({"family": "golden", "cpu": "256", "containerDefinitions": [{"name": "golden", "image": "golden:no",
                "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "9"}]}]})
        );
    }
}
