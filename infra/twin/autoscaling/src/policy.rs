//! Scaling policies: their settings as the API has them.

use serde::{Deserialize, Serialize};

/// Seconds that a cooldown lasts when none was given ("Define cooldown periods": 300 for an ECS service).
const DEFAULT_COOLDOWN_S: i64 = 300;

/// A policy of a scalable target.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) kind: Kind,
    pub(crate) created_ms: i64,
}

/// Step scaling or target tracking.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Step(StepScaling),
    Tracking(Box<Tracking>),
}

impl Kind {
    /// `PolicyType`.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Step(_) => "StepScaling",
            Self::Tracking(_) => "TargetTrackingScaling",
        }
    }
}

/// Target tracking, and the two alarms that belong to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tracking {
    pub(crate) settings: TargetTracking,
    pub(crate) high: String,
    /// None while scale-in is disabled.
    pub(crate) low: Option<String>,
    /// The capacity that its last ALARM for scale-in asked for.
    pub(crate) wanted_in: Option<i64>,
}

/// `StepScalingPolicyConfiguration`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StepScaling {
    pub(crate) adjustment_type: Option<String>,
    pub(crate) step_adjustments: Option<Vec<Step>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_adjustment_magnitude: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cooldown: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metric_aggregation_type: Option<String>,
}

impl StepScaling {
    pub(crate) fn cooldown_s(&self) -> i64 {
        self.cooldown.unwrap_or(DEFAULT_COOLDOWN_S)
    }

    pub(crate) fn steps(&self) -> &[Step] {
        self.step_adjustments.as_deref().unwrap_or_default()
    }
}

/// `StepAdjustment`: bounds are relative to the alarm's threshold; a missing one is infinite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Step {
    #[serde(rename = "MetricIntervalLowerBound", skip_serializing_if = "Option::is_none")]
    pub(crate) lower: Option<f64>,
    #[serde(rename = "MetricIntervalUpperBound", skip_serializing_if = "Option::is_none")]
    pub(crate) upper: Option<f64>,
    #[serde(rename = "ScalingAdjustment")]
    pub(crate) adjustment: i64,
}

/// `TargetTrackingScalingPolicyConfiguration`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TargetTracking {
    pub(crate) target_value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) predefined_metric_specification: Option<Predefined>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customized_metric_specification: Option<Customized>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scale_out_cooldown: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scale_in_cooldown: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disable_scale_in: Option<bool>,
}

impl TargetTracking {
    pub(crate) fn scales_in(&self) -> bool {
        self.disable_scale_in != Some(true)
    }

    pub(crate) fn out_cooldown_s(&self) -> i64 {
        self.scale_out_cooldown.unwrap_or(DEFAULT_COOLDOWN_S)
    }

    pub(crate) fn in_cooldown_s(&self) -> i64 {
        self.scale_in_cooldown.unwrap_or(DEFAULT_COOLDOWN_S)
    }
}

/// `PredefinedMetricSpecification`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Predefined {
    pub(crate) predefined_metric_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource_label: Option<String>,
}

/// `CustomizedMetricSpecification` of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Customized {
    pub(crate) metric_name: Option<String>,
    pub(crate) namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) statistic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    /// Metric math, which is refused.
    #[serde(skip_serializing)]
    pub(crate) metrics: Option<serde_json::Value>,
}

/// `MetricDimension`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Dimension {
    pub(crate) name: String,
    pub(crate) value: String,
}
