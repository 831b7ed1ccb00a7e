//! Where a fault shows.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is expected to be seen after the fault.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signals {
    /// Alarms that change from OK to ALARM. The first one is the detection.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// Filter pattern that finds lines in the tasks' log.
    #[serde(default)]
    pub log_filter: Option<String>,
    /// Filter expression that finds traces.
    #[serde(default)]
    pub trace_filter: Option<String>,
    /// What target health says.
    #[serde(default)]
    pub targets: Option<TargetSignal>,
}

/// A target's state.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSignal {
    /// E.g. `unhealthy`.
    pub state: String,
    /// E.g. `Target.ResponseCodeMismatch`.
    #[serde(default)]
    pub reason: Option<String>,
}
