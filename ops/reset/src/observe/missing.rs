//! Names that lead nowhere or elsewhere. No waiting and no repair mends them, so they are told apart from what is sick.

use std::fmt;

use contract::names::{env, resource};
use serde::Serialize;

use super::{Service, secret::SecretError};
use crate::{AwsError, Names};

/// A thing that is not there, or not the one.
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
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There is no such thing: the name is mistyped, or of an earlier lab.
    NoSuch,
    /// The tasks read another one, so that changing it changes nothing.
    NotRead {
        /// The one that they read.
        instead: String,
    },
    /// The name is the lab's own, so the thing was there and has been deleted.
    Lost,
}

impl Missing {
    /// Whether the name is right and the thing is gone: everything else can still be repaired.
    pub fn is_lost(&self) -> bool {
        self.why == Why::Lost
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, flag, variable, why } = self;
        match why {
            Why::NoSuch => write!(
                f,
                "{what} {name} does not exist; give one that does with {flag}, or `unset {variable}` if that is of an earlier lab"
            ),
            Why::NotRead { instead } => write!(
                f,
                "the tasks read the {what} {instead}, you named {name}; leave out {flag} and `unset {variable}`, or name theirs"
            ),
            Why::Lost => {
                write!(f, "the {what} {name} is gone and its password with it; start a new lab: `down`, then `up`")
            }
        }
    }
}

/// What of the names is wrong, by the codes of AWS and by what the tasks read. A parameter that does not exist is not among
/// them: a reset creates it.
pub(super) fn find(
    names: &Names,
    service: Result<&Service, &AwsError>,
    target_group: Option<&AwsError>,
    secret: Option<&SecretError>,
) -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut add = |what, name: &str, flag, variable, why| {
        missing.push(Missing { what, name: name.to_owned(), flag, variable, why });
    };
    match service {
        Err(error) if error.is("ClusterNotFoundException") => {
            add("cluster", &names.cluster, "--cluster", env::CLUSTER, Why::NoSuch);
        }
        Err(error) if error.is("ServiceNotFoundException") => {
            add("service", &names.service, "--service", env::SERVICE, Why::NoSuch);
        }
        // ECS remembers a deleted service for a while.
        Ok(service) if service.status == "INACTIVE" => {
            add("service", &names.service, "--service", env::SERVICE, Why::NoSuch);
        }
        _ => {}
    }
    let reads = service.map(|service| &service.reads).ok();
    if let Some(instead) = reads.and_then(|reads| reads.instead_of(&names.parameter)) {
        let why = Why::NotRead { instead: instead.to_owned() };
        add("parameter", &names.parameter, "--parameter", env::PARAM_FAILURE_MODE, why);
    }
    if let (Some(arn), Some(error)) = (names.given_target_group(), target_group)
        && error.is("TargetGroupNotFound")
    {
        add("target group", arn, "--target-group-arn", env::TARGET_GROUP_ARN, Why::NoSuch);
    }
    if let Some(SecretError::Aws(error)) = secret
        && error.is("ResourceNotFoundException")
    {
        let of_the_tasks = reads.is_some_and(|reads| reads.secret.as_ref() == Some(&names.secret));
        let why = if names.secret == resource::DB_SECRET || of_the_tasks { Why::Lost } else { Why::NoSuch };
        add("secret", &names.secret, "--secret", env::DB_SECRET_ARN, why);
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
        let lost = find(&names, Ok(&service), None, Some(&secret));
        assert!(lost[0].is_lost() && lost[0].to_string().contains("golden/db is gone"), "{lost:?}");
        let names = Names { secret: "golden/bd".into(), ..names };
        assert!(!find(&names, Ok(&service), None, Some(&secret))[0].is_lost());
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
    fn a_parameter_that_no_task_reads_is_told_with_theirs() {
        let names = Names { parameter: "/golden/oops".into(), ..Names::of_the_contract() };
        let mut service = sample::service(&mut sample::healthy()).clone();
        assert_eq!(find(&names, Ok(&service), None, None), [], "the task definition names none");
        service.reads.parameter = Some("/golden/failure_mode".into());
        let text = find(&names, Ok(&service), None, None)[0].to_string();
        assert!(
            text.starts_with("the tasks read the parameter /golden/failure_mode, you named /golden/oops"),
            "{text}"
        );
        assert_eq!(find(&Names::of_the_contract(), Ok(&service), None, None), []);
    }

    #[test]
    fn other_failures_and_discovered_names_are_waited_for() {
        let names = Names::of_the_contract();
        assert_eq!(find(&names, Err(&error("ThrottlingException")), Some(&error("TargetGroupNotFound")), None), []);
    }
}
