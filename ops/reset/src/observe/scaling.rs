//! Auto scaling of the service: how many tasks it may have, and which policies want more just now.

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalableTarget, ServiceNamespace};
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, StateValue};
use contract::names::scaling;
use serde::Serialize;

use crate::{AwsError, Clients, Names};

/// The scalable target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scaling {
    /// As Application Auto Scaling names the service.
    pub resource_id: String,
    /// Between how many tasks policies move, and what of it is suspended.
    pub limits: Limits,
    /// Policies whose alarm for scale-out is in ALARM.
    pub pressing: Vec<String>,
}

/// Bounds and suspension of a scalable target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Fewest tasks.
    pub minimum: i32,
    /// Most tasks.
    pub maximum: i32,
    /// Whether policies may take no tasks away.
    pub scale_in_suspended: bool,
    /// Whether policies may add no tasks.
    pub scale_out_suspended: bool,
    /// Whether scheduled actions do nothing.
    pub scheduled_suspended: bool,
}

impl Limits {
    /// The lab's, made wide enough for the count that is wanted.
    pub fn of_the_lab(desired_count: i32) -> Self {
        let (minimum, maximum) = (scaling::MIN_COUNT.min(desired_count), scaling::MAX_COUNT.max(desired_count));
        Self { minimum, maximum, scale_in_suspended: false, scale_out_suspended: false, scheduled_suspended: false }
    }

    fn of(target: &ScalableTarget) -> Self {
        let suspended = target.suspended_state();
        let is = |flag: Option<bool>| flag.unwrap_or_default();
        Self {
            minimum: target.min_capacity(),
            maximum: target.max_capacity(),
            scale_in_suspended: is(suspended.and_then(|it| it.dynamic_scaling_in_suspended())),
            scale_out_suspended: is(suspended.and_then(|it| it.dynamic_scaling_out_suspended())),
            scheduled_suspended: is(suspended.and_then(|it| it.scheduled_scaling_suspended())),
        }
    }
}

impl std::fmt::Display for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {} tasks", self.minimum, self.maximum)?;
        for (what, suspended) in [
            ("scale-in", self.scale_in_suspended),
            ("scale-out", self.scale_out_suspended),
            ("scheduled scaling", self.scheduled_suspended),
        ] {
            if suspended {
                write!(f, ", {what} suspended")?;
            }
        }
        Ok(())
    }
}

/// None where the service is no scalable target.
pub(super) async fn read(clients: &Clients, names: &Names) -> Result<Option<Scaling>, AwsError> {
    let name = |name_or_arn: &str| name_or_arn.rsplit('/').next().unwrap_or_default().to_owned();
    let resource_id = scaling::resource_id(&name(&names.cluster), &name(&names.service));
    let targets = clients
        .scaling
        .describe_scalable_targets()
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
        .resource_ids(&resource_id);
    let alarms =
        clients.cloudwatch.describe_alarms().state_value(StateValue::Alarm).action_prefix("arn:aws:autoscaling:");
    let (targets, alarms) = tokio::join!(targets.send(), alarms.send());
    let targets = targets.map_err(AwsError::from_sdk("application-autoscaling:DescribeScalableTargets"))?;
    let Some(target) = targets.scalable_targets().first() else { return Ok(None) };
    let alarms = alarms.map_err(AwsError::from_sdk("cloudwatch:DescribeAlarms"))?;
    let mut pressing: Vec<String> =
        alarms.metric_alarms().iter().filter_map(|alarm| pressing(alarm, &resource_id)).collect();
    pressing.sort();
    pressing.dedup();
    Ok(Some(Scaling { limits: Limits::of(target), pressing, resource_id }))
}

/// The policy of that service which such an alarm triggers, when it watches for too much.
fn pressing(alarm: &MetricAlarm, resource_id: &str) -> Option<String> {
    let above = matches!(
        alarm.comparison_operator(),
        Some(ComparisonOperator::GreaterThanThreshold | ComparisonOperator::GreaterThanOrEqualToThreshold)
    );
    let of_service = format!(":resource/ecs/{resource_id}:policyName/");
    let mut policies = alarm.alarm_actions().iter().filter_map(|arn| arn.split_once(&of_service));
    policies.next().filter(|_| above).map(|(_, policy)| policy.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_alarm_for_scale_out_of_this_service_presses() {
        let alarm = |operator, service: &str| {
            let arn =
                format!("arn:aws:autoscaling:r:1:scalingPolicy:u:resource/ecs/service/c/{service}:policyName/cpu");
            MetricAlarm::builder().comparison_operator(operator).alarm_actions(arn).build()
        };
        let (above, below) = (ComparisonOperator::GreaterThanThreshold, ComparisonOperator::LessThanThreshold);
        assert_eq!(pressing(&alarm(above.clone(), "s"), "service/c/s").as_deref(), Some("cpu"));
        assert_eq!(pressing(&alarm(below, "s"), "service/c/s"), None);
        assert_eq!(pressing(&alarm(above, "s2"), "service/c/s"), None);
    }
}
