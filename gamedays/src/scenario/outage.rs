//! An AWS service that fails for a while, as the laptop's own API for outages knows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Length;

/// One outage.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "Written")]
#[schemars(with = "Written")]
pub struct Outage {
    /// The service as requests are signed for it.
    pub service: String,
    /// What becomes of the calls.
    pub kind: OutageKind,
    /// After which it ends by itself, in AWS time.
    pub lasts: Length,
    /// How long each call waits, where that is what happens, in real time.
    pub latency: Option<Length>,
    /// Only these actions; all where none is named.
    pub actions: Vec<String>,
    /// Whether it hits the tasks' calls only, and no operator's.
    pub tasks_only: bool,
}

/// What becomes of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutageKind {
    /// The service's throttling error.
    Throttle,
    /// The service's internal error.
    Unavailable,
    /// The connection is closed without an answer.
    Refuse,
    /// The answer comes late.
    Latency,
}

/// As it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The service as requests are signed for it: ssm, secretsmanager, s3, logs, …
    service: String,
    /// What becomes of the calls.
    kind: OutageKind,
    /// After which it ends by itself.
    #[serde(rename = "for")]
    lasts: Length,
    /// With `kind: latency`: how long each call waits, in real time.
    #[serde(default)]
    latency: Option<Length>,
    /// Only these actions.
    #[serde(default)]
    actions: Vec<String>,
    /// Hit the tasks' calls only.
    #[serde(default)]
    tasks_only: bool,
}

impl TryFrom<Written> for Outage {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { service, kind, lasts, latency, actions, tasks_only } = written;
        if latency.is_some() != (kind == OutageKind::Latency) {
            return Err("`latency` belongs to `kind: latency`, and is needed there".to_owned());
        }
        Ok(Self { service, kind, lasts, latency, actions, tasks_only })
    }
}
