//! Who this task is: id, zone and memory limit from the ECS metadata endpoint (version 4), or a made-up id elsewhere.
//!
//! Source of the fields: "Amazon ECS task metadata endpoint version 4 for tasks on Fargate", ECS developer guide.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::http_get;

/// Name of the variable that ECS sets in every container.
pub const METADATA_URI: &str = "ECS_CONTAINER_METADATA_URI_V4";

const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(500);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(2);

/// What a task knows about itself.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Last part of the task ARN, or `local-…`.
    pub task_id: String,
    /// Availability zone, or `unknown`.
    pub availability_zone: String,
    /// Memory limit of the task in MiB, when the platform tells.
    pub memory_limit_mib: Option<u64>,
    /// Why the metadata could not be read, for the log.
    pub warning: Option<String>,
    /// Moment of start, for the uptime.
    pub started: Instant,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "TaskARN")]
    task_arn: String,
    #[serde(rename = "AvailabilityZone", default)]
    availability_zone: Option<String>,
    #[serde(rename = "Limits", default)]
    limits: Option<Limits>,
}

#[derive(Deserialize)]
struct Limits {
    #[serde(rename = "Memory", default)]
    memory: Option<f64>,
}

impl Identity {
    /// Asks the metadata endpoint at `uri` for at most two seconds; blocking, so call it before the runtime starts.
    pub fn discover(uri: Option<&str>) -> Self {
        let Some(uri) = uri.filter(|uri| !uri.is_empty()) else { return Self::local(None) };
        let started = Instant::now();
        loop {
            match ask(uri) {
                Ok(identity) => return identity,
                Err(reason) if started.elapsed() >= TOTAL_TIMEOUT => {
                    return Self::local(Some(format!("{METADATA_URI} gave no task metadata: {reason}")));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// An identity with a made-up task id.
    pub fn local(warning: Option<String>) -> Self {
        Self {
            task_id: format!("local-{:016x}", fastrand::u64(..)),
            availability_zone: "unknown".into(),
            memory_limit_mib: None,
            warning,
            started: Instant::now(),
        }
    }
}

fn ask(uri: &str) -> Result<Identity, String> {
    let rest = uri.strip_prefix("http://").ok_or_else(|| format!("`{uri}` is not an http:// address"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = format!("/{}/task", path.trim_end_matches('/'));
    let reply = http_get::get(authority, &path, ATTEMPT_TIMEOUT).map_err(|error| error.to_string())?;
    if reply.status != 200 {
        return Err(format!("status {}", reply.status));
    }
    parse(&reply.body)
}

fn parse(body: &str) -> Result<Identity, String> {
    let metadata: Metadata = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let task_id = metadata.task_arn.rsplit('/').next().unwrap_or_default();
    // The id becomes a header value and a file name, so nothing but what ECS itself uses is taken.
    if task_id.is_empty() || !task_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(format!("TaskARN `{}` does not end in a task id", metadata.task_arn));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit in MiB is small and positive")]
    let memory_limit_mib =
        metadata.limits.and_then(|limits| limits.memory).filter(|mib| *mib >= 1.0).map(|mib| mib as u64);
    Ok(Identity {
        task_id: task_id.to_owned(),
        availability_zone: metadata.availability_zone.unwrap_or_else(|| "unknown".into()),
        memory_limit_mib,
        warning: None,
        started: Instant::now(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_names_the_task() {
        let body = r#"{"TaskARN":"arn:aws:ecs:us-east-1:123456789012:task/golden/0123abcd",
            "AvailabilityZone":"us-east-1b","Limits":{"CPU":0.25,"Memory":512}}"#;
        let identity = parse(body).expect("the metadata is sound");
        assert_eq!(identity.task_id, "0123abcd");
        assert_eq!(identity.availability_zone, "us-east-1b");
        assert_eq!(identity.memory_limit_mib, Some(512));
    }

    #[test]
    fn a_closed_endpoint_ends_in_a_made_up_id_and_a_warning() {
        let identity = Identity::discover(Some("http://127.0.0.1:1/v4/x"));
        assert!(identity.task_id.starts_with("local-"));
        assert!(identity.warning.is_some_and(|warning| warning.contains(METADATA_URI)));
        assert!(parse(r#"{"TaskARN":"a/b\nc"}"#).is_err());
    }
}
