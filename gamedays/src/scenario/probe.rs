//! What is measured of a well service, and within which bounds.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// One quantity within its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Bounds")]
pub struct Probe {
    /// What is measured.
    pub quantity: Quantity,
    /// Not below this.
    pub at_least: Option<f64>,
    /// Not above this.
    pub at_most: Option<f64>,
}

/// As it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bounds {
    probe: Quantity,
    #[serde(default)]
    at_least: Option<f64>,
    #[serde(default)]
    at_most: Option<f64>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Share of the load's requests that got no whole answer below 400.
    ErrorRatePercent,
    /// 95th percentile of the load's latency, counted from when a request was due.
    P95Ms,
    /// Targets that the balancer finds healthy.
    HealthyTargets,
    /// Tasks that run.
    RunningTasks,
    /// Deployments of the service: more than one while a new revision replaces another.
    Deployments,
    /// Sessions of the database, as CloudWatch has them.
    DatabaseSessions,
    /// Dependencies that the service's deep health check finds unhealthy.
    UnhealthyDependencies,
    /// Routes whose answer is no whole JSON document, whatever its status.
    UnreadableAnswers,
    /// Alarms whose actions are switched off.
    SilencedAlarms,
    /// Utilisation of the task that works hardest, in percent, as CloudWatch has it.
    TaskCpuPercent,
    /// Memory of the task that uses most, in percent, as CloudWatch has it.
    TaskMemoryPercent,
}

impl JsonSchema for Probe {
    fn schema_name() -> Cow<'static, str> {
        "Probe".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Bounds::json_schema(generator)
    }
}

impl TryFrom<Bounds> for Probe {
    type Error = String;

    fn try_from(bounds: Bounds) -> Result<Self, String> {
        if bounds.at_least.is_none() && bounds.at_most.is_none() {
            return Err("a probe needs `at_least` or `at_most`".to_owned());
        }
        Ok(Self { quantity: bounds.probe, at_least: bounds.at_least, at_most: bounds.at_most })
    }
}

impl Probe {
    /// Whether the value is within the bounds.
    ///
    /// # Errors
    /// What is wrong, in a line. A value that is not known is not within any.
    pub fn judge(&self, value: Option<f64>) -> Result<(), String> {
        let Some(value) = value else { return Err(format!("{} is not known", self.quantity)) };
        if let Some(bound) = self.at_least.filter(|bound| value < *bound) {
            return Err(format!("{} is {}, below {}", self.quantity, brief(value), brief(bound)));
        }
        if let Some(bound) = self.at_most.filter(|bound| value > *bound) {
            return Err(format!("{} is {}, above {}", self.quantity, brief(value), brief(bound)));
        }
        Ok(())
    }
}

/// Without digits that say nothing.
fn brief(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ErrorRatePercent => "the error rate in percent",
            Self::P95Ms => "the 95th percentile of latency in ms",
            Self::HealthyTargets => "the number of healthy targets",
            Self::RunningTasks => "the number of running tasks",
            Self::Deployments => "the number of deployments",
            Self::DatabaseSessions => "the number of database sessions",
            Self::UnhealthyDependencies => "the number of unhealthy dependencies",
            Self::UnreadableAnswers => "the number of routes with unreadable answers",
            Self::SilencedAlarms => "the number of silenced alarms",
            Self::TaskCpuPercent => "the tasks' CPU in percent",
            Self::TaskMemoryPercent => "the tasks' memory in percent",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_judged_by_its_bounds_and_an_unknown_one_never_passes() {
        let probe = Probe { quantity: Quantity::P95Ms, at_least: None, at_most: Some(400.0) };
        assert_eq!(probe.judge(Some(400.0)), Ok(()));
        assert_eq!(
            probe.judge(Some(612.34)),
            Err("the 95th percentile of latency in ms is 612.3, above 400".to_owned())
        );
        assert_eq!(probe.judge(None), Err("the 95th percentile of latency in ms is not known".to_owned()));
    }
}
