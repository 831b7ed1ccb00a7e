//! One change, and how it is undone.

use std::{borrow::Cow, collections::BTreeMap};

use contract::{failure::Plan, names::env};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Length, Outage};

/// Variables that a command may use: those that `breakfix env` exports and that mean the same in AWS.
const VARIABLES: [&str; 7] = [
    env::CLUSTER,
    env::SERVICE,
    env::ALB_URL,
    env::TARGET_GROUP_ARN,
    env::DB_SECRET_ARN,
    env::PARAM_FAILURE_MODE,
    env::LOG_GROUP,
];

/// One change.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Step {
    /// What it does, for the timeline.
    pub name: String,
    /// How.
    pub action: Action,
    /// What is waited afterwards, in real time: for what the service does by itself, e.g. reading its parameter.
    pub wait: Option<Length>,
}

/// The kinds of changes.
#[derive(Clone, Debug)]
pub enum Action {
    /// A value of the failure-mode parameter. Undone by the value before it.
    Parameter(String),
    /// Commands of the aws CLI.
    Aws {
        /// Shell text.
        run: String,
        /// What is read before, by the variable under which the others use it: commands whose output is the value.
        previous: BTreeMap<String, String>,
        /// Shell text that takes it back; none where the change may stay.
        undo: Option<String>,
        /// Why it may stay.
        harmless: Option<String>,
    },
    /// A new revision of the task definition that the service deploys. Undone by the revision before it.
    Deploy(Revision),
    /// An AWS service that fails for a while; on a laptop only.
    Outage(Outage),
}

/// What is different in the new revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Revision {
    /// The container's image.
    pub image: Option<String>,
    /// Variables that are added or replaced.
    pub environment: BTreeMap<String, String>,
    /// The command of the container's health check.
    pub health_check: Vec<String>,
}

/// As it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// What it does, for the timeline.
    name: String,
    /// A failure mode: a word, or an object with its parameters.
    #[serde(default)]
    parameter: Option<Value>,
    /// Commands of the aws CLI, with the variables that `breakfix env` exports.
    #[serde(default)]
    aws: Option<String>,
    /// Commands whose output `aws` and `undo` use, by the variable's name.
    #[serde(default)]
    previous: BTreeMap<String, String>,
    /// Commands that take it back.
    #[serde(default)]
    undo: Option<String>,
    /// Why the change may stay.
    #[serde(default)]
    harmless: Option<String>,
    /// A new revision of the task definition.
    #[serde(default)]
    deploy: Option<Revision>,
    /// An outage of an AWS service, as `breakfix outage` makes it.
    #[serde(default)]
    outage: Option<Outage>,
    /// What is waited afterwards, in real time.
    #[serde(default)]
    wait: Option<Length>,
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { name, parameter, aws, previous, undo, harmless, deploy, outage, wait } = written;
        let flaw = |what: &str| format!("step `{name}`: {what}");
        let of_commands = !previous.is_empty() || undo.is_some() || harmless.is_some();
        let action = match (parameter, aws, deploy, outage) {
            (Some(_), None, None, None) | (None, None, Some(_), None) | (None, None, None, Some(_)) if of_commands => {
                return Err(flaw("`previous`, `undo` and `harmless` belong to `aws`; this kind undoes itself"));
            }
            (Some(value), None, None, None) => Action::Parameter(mode(value).map_err(|reason| flaw(&reason))?),
            (None, None, Some(revision), None) if revision == Revision::default() => {
                return Err(flaw("`deploy` changes nothing; give `image`, `environment` or `health_check`"));
            }
            (None, None, Some(revision), None) => Action::Deploy(revision),
            (None, None, None, Some(outage)) => Action::Outage(outage),
            (None, Some(run), None, None) => {
                if undo.is_some() == harmless.is_some() {
                    return Err(flaw("give `undo`, the command that takes it back, or `harmless`, why it may stay"));
                }
                let (none, before) = (BTreeMap::new(), previous.values().map(|text| (text, false)));
                for (text, knows_previous) in before.chain([&run].into_iter().chain(&undo).map(|text| (text, true))) {
                    if !text.trim_start().starts_with("aws ") {
                        return Err(flaw(&format!("`{}` is no command of the aws CLI", text.trim())));
                    }
                    check(text, if knows_previous { &previous } else { &none }).map_err(|reason| flaw(&reason))?;
                }
                Action::Aws { run, previous, undo, harmless }
            }
            _ => return Err(flaw("give exactly one of `parameter`, `aws`, `deploy` and `outage`")),
        };
        Ok(Self { name, action, wait })
    }
}

/// The value as the parameter holds it.
fn mode(value: Value) -> Result<String, String> {
    let text = match value {
        Value::String(word) => word,
        other => other.to_string(),
    };
    let plan = Plan::parse(&text).map_err(|error| error.to_string())?;
    if plan.is_none() { Err("`none` breaks nothing; leave the step out".to_owned()) } else { Ok(text) }
}

/// Every variable must be known.
fn check(text: &str, previous: &BTreeMap<String, String>) -> Result<(), String> {
    // `$(` begins a command, whose own variables follow.
    for rest in text.split('$').skip(1).filter(|rest| !rest.starts_with('(')) {
        let rest = rest.trim_start_matches('{');
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        if !VARIABLES.contains(&name) && !previous.contains_key(name) {
            let known: Vec<&str> = VARIABLES.into_iter().chain(previous.keys().map(String::as_str)).collect();
            return Err(format!("unknown variable `${name}`, expected one of {}", known.join(", ")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(yaml: &str) -> Result<Step, String> {
        serde_saphyr::from_str(yaml).map_err(|error: serde_saphyr::Error| error.to_string())
    }

    #[test]
    fn a_step_has_one_kind_and_its_undo() {
        for (yaml, words) in [
            ("name: x", "exactly one of"),
            ("{name: x, parameter: hang, deploy: {image: y}}", "exactly one of"),
            ("{name: x, parameter: hung}", "hung"),
            ("{name: x, parameter: none}", "breaks nothing"),
            ("{name: x, parameter: hang, undo: aws a}", "undoes itself"),
            ("{name: x, aws: aws ecs list-clusters}", "give `undo`"),
            ("{name: x, aws: rm -r /, harmless: y}", "no command of the aws CLI"),
            ("{name: x, aws: aws ecs $CLUSTR, harmless: y}", "unknown variable `$CLUSTR`, expected one of CLUSTER"),
            ("{name: x, aws: aws ecs, undo: 'aws ecs ${COUNT}'}", "unknown variable `$COUNT`"),
            ("{name: x, deploy: {}}", "changes nothing"),
            ("{name: x, outage: {service: ssm, kind: refuse, for: 5m}, undo: aws a}", "undoes itself"),
            ("{name: x, outage: {service: ssm, kind: latency, for: 5m}}", "`latency`"),
            ("{name: x, outage: {service: ssm, kind: gone, for: 5m}}", "gone"),
        ] {
            let error = step(yaml).expect_err(yaml);
            assert!(error.contains(words), "{yaml}: {error}");
        }
        let read = step("{name: x, parameter: {mode: latency, min_ms: 600, max_ms: 700}}").expect("sound");
        assert!(matches!(read.action, Action::Parameter(value) if value.contains("\"min_ms\":600")));
        step("{name: x, aws: aws ecs a, previous: {COUNT: aws ecs $SERVICE}, undo: aws ecs $COUNT}").expect("sound");
        step("{name: x, aws: aws ecs a $(aws ecs b), harmless: y}").expect("sound");
    }
}
