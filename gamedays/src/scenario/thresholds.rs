//! By when an incident must be detected and mended.

use runbooks::Severity;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Length;

/// Both, counted from the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Until an alarm tells of it.
    pub detect: Limits,
    /// Until the service is well again.
    pub recover: Limits,
}

/// What is aimed at, and what is still passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Within this, all points.
    pub target: Length,
    /// Past this, failed.
    pub limit: Length,
}

impl Thresholds {
    /// Those of the requirement texts' severity table.
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::minutes((3, 10), (15, 30)),
            Severity::High => Self::minutes((5, 15), (30, 60)),
            Severity::Medium => Self::minutes((10, 20), (45, 90)),
            Severity::Low => Self::minutes((15, 30), (60, 120)),
        }
    }

    const fn minutes(detect: (u64, u64), recover: (u64, u64)) -> Self {
        Self {
            detect: Limits { target: Length::minutes(detect.0), limit: Length::minutes(detect.1) },
            recover: Limits { target: Length::minutes(recover.0), limit: Length::minutes(recover.1) },
        }
    }
}
