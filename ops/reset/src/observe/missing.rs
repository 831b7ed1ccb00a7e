//! Things that are named and do not exist. No waiting and no repair brings them back, so they are told apart from what is sick.

use std::fmt;

use contract::names::env;
use serde::Serialize;

use super::{Service, secret::SecretError};
use crate::{AwsError, Names};

/// A name behind which there is nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The kind of thing.
    pub what: &'static str,
    /// Its name, as it was given.
    pub name: String,
    /// The flag that gives the name.
    pub flag: &'static str,
    /// The environment variable that gives it.
    pub variable: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, flag, variable } = self;
        write!(
            f,
            "{what} {name} does not exist; give one that does with {flag}, or `unset {variable}` if that is of an earlier lab"
        )
    }
}

/// What of the given names does not exist, by the codes of AWS. The parameter is not among them: a reset creates it.
pub(super) fn find(
    names: &Names,
    service: Result<&Service, &AwsError>,
    target_group: Option<&AwsError>,
    secret: Option<&SecretError>,
) -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut add = |what, name: &str, flag, variable| {
        missing.push(Missing { what, name: name.to_owned(), flag, variable });
    };
    match service {
        Err(error) if error.is("ClusterNotFoundException") => {
            add("cluster", &names.cluster, "--cluster", env::CLUSTER);
        }
        Err(error) if error.is("ServiceNotFoundException") => {
            add("service", &names.service, "--service", env::SERVICE);
        }
        // ECS remembers a deleted service for a while.
        Ok(service) if service.status == "INACTIVE" => add("service", &names.service, "--service", env::SERVICE),
        _ => {}
    }
    if let (Some(arn), Some(error)) = (names.given_target_group(), target_group)
        && error.is("TargetGroupNotFound")
    {
        add("target group", arn, "--target-group-arn", env::TARGET_GROUP_ARN);
    }
    if let Some(SecretError::Aws(error)) = secret
        && error.is("ResourceNotFoundException")
    {
        add("secret", &names.secret, "--secret", env::DB_SECRET_ARN);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn error(code: &str) -> AwsError {
        AwsError { operation: "test", code: Some(code.into()), reason: "no such thing".into() }
    }

    #[test]
    fn what_does_not_exist_is_told_with_its_flag_and_variable() {
        let names = Names { target_group_arn: Some("arn:old".into()), ..Names::of_the_contract() };
        let service = sample::service(&mut sample::healthy()).clone();
        assert_eq!(find(&names, Ok(&service), None, None), []);
        let (group, secret) = (error("TargetGroupNotFound"), SecretError::Aws(error("ResourceNotFoundException")));
        let whats = |missing: Vec<Missing>| missing.into_iter().map(|one| one.what).collect::<Vec<_>>();
        assert_eq!(whats(find(&names, Ok(&service), Some(&group), Some(&secret))), ["target group", "secret"]);
        for (code, wanted) in [("ClusterNotFoundException", "cluster"), ("ServiceNotFoundException", "service")] {
            assert_eq!(whats(find(&names, Err(&error(code)), None, None)), [wanted]);
        }
        let gone = Service { status: "INACTIVE".into(), ..service.clone() };
        assert_eq!(whats(find(&names, Ok(&gone), None, None)), ["service"]);
        let text = find(&names, Ok(&service), Some(&group), None)[0].to_string();
        assert!(
            text.starts_with("target group arn:old does not exist") && text.contains("--target-group-arn"),
            "{text}"
        );
        assert!(text.contains("TARGET_GROUP_ARN"), "{text}");
    }

    #[test]
    fn other_failures_and_discovered_names_are_waited_for() {
        let names = Names::of_the_contract();
        assert_eq!(find(&names, Err(&error("ThrottlingException")), Some(&error("TargetGroupNotFound")), None), []);
    }
}
