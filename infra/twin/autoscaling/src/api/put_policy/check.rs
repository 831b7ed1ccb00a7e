//! What a policy's settings must be ("PutScalingPolicy", `StepAdjustment`, `PredefinedMetricSpecification`).

use twin_platform::AwsError;

use super::super::input::{none_of, required, validation, violated};
use crate::{
    AutoScaling,
    alarms::label,
    policy::{Customized, Predefined, Step, StepScaling, TargetTracking},
    target::Place,
};

/// Steps of a policy ("Quotas for Application Auto Scaling").
const MOST_STEPS: usize = 20;

/// Metric types of the API; the first three are those of ECS services.
const METRICS: [&str; 29] = [
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
    "ALBRequestCountPerTarget",
    "AppStreamAverageCapacityUtilization",
    "CassandraReadCapacityUtilization",
    "CassandraWriteCapacityUtilization",
    "ComprehendInferenceUtilization",
    "DynamoDBReadCapacityUtilization",
    "DynamoDBWriteCapacityUtilization",
    "EC2SpotFleetRequestAverageCPUUtilization",
    "EC2SpotFleetRequestAverageNetworkIn",
    "EC2SpotFleetRequestAverageNetworkOut",
    "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage",
    "ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage",
    "ElastiCachePrimaryEngineCPUUtilization",
    "ElastiCacheReplicaEngineCPUUtilization",
    "ElastiCacheEngineCPUUtilization",
    "ElastiCacheDatabaseMemoryUsagePercentage",
    "KafkaBrokerStorageUtilization",
    "LambdaProvisionedConcurrencyUtilization",
    "NeptuneReaderAverageCPUUtilization",
    "RDSReaderAverageCPUUtilization",
    "RDSReaderAverageDatabaseConnections",
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
    "SageMakerInferenceComponentInvocationsPerCopy",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    "SageMakerVariantInvocationsPerInstance",
    "SageMakerVariantProvisionedConcurrencyUtilization",
    "WorkSpacesAverageUserSessionsCapacityUtilization",
];
const OF_ECS: usize = 3;

pub(super) fn step(given: Option<StepScaling>, tracking_too: bool) -> Result<StepScaling, AwsError> {
    let only = "StepScalingPolicyConfiguration must be specified, and no other, when the policy type is StepScaling";
    let step = given.filter(|_| !tracking_too).ok_or_else(|| validation(only))?;
    let at = |member: &str| format!("stepScalingPolicyConfiguration.{member}");
    let types = ["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"];
    let adjustment_type = required(&at("adjustmentType"), step.adjustment_type.as_deref())?;
    if !types.contains(&adjustment_type) {
        return Err(none_of(&at("adjustmentType"), adjustment_type, &types));
    }
    let aggregations = ["Average", "Minimum", "Maximum"];
    if let Some(other) = step.metric_aggregation_type.as_deref().filter(|given| !aggregations.contains(given)) {
        return Err(none_of(&at("metricAggregationType"), other, &aggregations));
    }
    if step.min_adjustment_magnitude.is_some() && adjustment_type != "PercentChangeInCapacity" {
        return Err(validation("MinAdjustmentMagnitude can only be specified with PercentChangeInCapacity"));
    }
    if step.min_adjustment_magnitude.is_some_and(|least| least < 1)
        || step.cooldown.is_some_and(|cooldown| cooldown < 0)
    {
        return Err(validation("MinAdjustmentMagnitude must be greater than 0, and Cooldown must not be negative"));
    }
    if adjustment_type == "ExactCapacity" && step.steps().iter().any(|step| step.adjustment < 0) {
        return Err(validation("ScalingAdjustment must not be negative when the adjustment type is ExactCapacity"));
    }
    intervals(step.steps())?;
    Ok(step)
}

/// The rules of `StepAdjustment`.
fn intervals(steps: &[Step]) -> Result<(), AwsError> {
    if steps.is_empty() {
        return Err(validation("At least one step adjustment must be specified"));
    }
    if steps.len() > MOST_STEPS {
        let message = format!("The maximum of {MOST_STEPS} step adjustments of a scaling policy is exceeded");
        return Err(AwsError::client("LimitExceededException", message));
    }
    let ends = |step: &Step| (step.lower.unwrap_or(f64::NEG_INFINITY), step.upper.unwrap_or(f64::INFINITY));
    for step in steps {
        let (lower, upper) = ends(step);
        if lower.is_infinite() && upper.is_infinite() {
            return Err(validation("The upper and lower bound can't be null in the same step adjustment"));
        }
        if lower >= upper {
            return Err(validation("The upper bound of a step adjustment must be greater than the lower bound"));
        }
    }
    let mut ordered: Vec<(f64, f64)> = steps.iter().map(ends).collect();
    ordered.sort_by(|one, other| one.0.total_cmp(&other.0));
    if ordered.windows(2).any(|pair| pair[0].1.total_cmp(&pair[1].0).is_ne()) {
        return Err(validation("Step adjustment intervals must not overlap or have a gap between them"));
    }
    let (first, last) = (ordered[0].0, ordered[ordered.len() - 1].1);
    if first < 0.0 && first.is_finite() {
        return Err(validation(
            "If one step adjustment has a negative lower bound, there must be a step adjustment with a null lower bound",
        ));
    }
    if last > 0.0 && last.is_finite() {
        return Err(validation(
            "If one step adjustment has a positive upper bound, there must be a step adjustment with a null upper bound",
        ));
    }
    Ok(())
}

pub(super) fn tracking(given: Option<TargetTracking>, step_too: bool) -> Result<TargetTracking, AwsError> {
    let only = "TargetTrackingScalingPolicyConfiguration must be specified, and no other, when the policy type is TargetTrackingScaling";
    let tracking = given.filter(|_| !step_too).ok_or_else(|| validation(only))?;
    if !tracking.target_value.is_finite() || tracking.target_value <= 0.0 {
        return Err(validation(format!("The target value {} must be greater than 0", tracking.target_value)));
    }
    if [tracking.scale_in_cooldown, tracking.scale_out_cooldown].into_iter().flatten().any(|seconds| seconds < 0) {
        return Err(validation("ScaleInCooldown and ScaleOutCooldown must be greater than or equal to 0"));
    }
    match (&tracking.predefined_metric_specification, &tracking.customized_metric_specification) {
        (Some(predefined), None) => check_predefined(predefined)?,
        (None, Some(customized)) => check_customized(customized)?,
        _ => {
            return Err(validation(
                "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified",
            ));
        }
    }
    Ok(tracking)
}

const AT: &str = "targetTrackingScalingPolicyConfiguration";

fn check_predefined(predefined: &Predefined) -> Result<(), AwsError> {
    let kind = predefined.predefined_metric_type.as_str();
    match METRICS.iter().position(|known| *known == kind) {
        None => {
            return Err(none_of(&format!("{AT}.predefinedMetricSpecification.predefinedMetricType"), kind, &METRICS));
        }
        Some(OF_ECS..) => {
            let message = format!("Predefined metric type {kind} is not supported for the service namespace ecs");
            return Err(validation(message));
        }
        Some(_) => {}
    }
    match (kind, &predefined.resource_label) {
        ("ALBRequestCountPerTarget", None) => Err(validation(
            "A resource label must be specified for the predefined metric type ALBRequestCountPerTarget",
        )),
        ("ALBRequestCountPerTarget", Some(text)) if label(predefined).is_none() => Err(validation(format!(
            "Invalid resource label: {text}. It must have the format app/<load-balancer-name>/<load-balancer-id>/\
             targetgroup/<target-group-name>/<target-group-id>"
        ))),
        ("ALBRequestCountPerTarget", Some(_)) | (_, None) => Ok(()),
        (_, Some(_)) => {
            Err(validation(format!("A resource label can't be specified for the predefined metric type {kind}")))
        }
    }
}

fn check_customized(customized: &Customized) -> Result<(), AwsError> {
    if customized.metrics.is_some() {
        let what = "PutScalingPolicy with metric math (CustomizedMetricSpecification.Metrics)";
        return Err(AwsError::not_implemented("application-autoscaling", what));
    }
    let at = |member: &str| format!("{AT}.customizedMetricSpecification.{member}");
    required(&at("metricName"), customized.metric_name.as_deref())?;
    required(&at("namespace"), customized.namespace.as_deref())?;
    let statistic = required(&at("statistic"), customized.statistic.as_deref())?;
    let statistics = ["Average", "Minimum", "Maximum", "SampleCount", "Sum"];
    if !statistics.contains(&statistic) {
        return Err(none_of(&at("statistic"), statistic, &statistics));
    }
    if customized.dimensions.iter().any(|dimension| dimension.name.is_empty() || dimension.value.is_empty()) {
        return Err(violated(&at("dimensions"), "given", "have names and values"));
    }
    Ok(())
}

/// The target group of a resource label must be one of the service's.
pub(super) async fn attached(scaling: &AutoScaling, place: &Place, settings: &TargetTracking) -> Result<(), AwsError> {
    let Some((_, group)) = settings.predefined_metric_specification.as_ref().and_then(label) else { return Ok(()) };
    let service = scaling.service(place).await?.unwrap_or_default();
    let mut balancers = service["loadBalancers"].as_array().into_iter().flatten();
    let is_it = |arn: &str| arn.ends_with(&format!(":{group}"));
    if balancers.any(|balancer| balancer["targetGroupArn"].as_str().is_some_and(is_it)) {
        return Ok(());
    }
    Err(validation(format!(
        "The target group {group} of the resource label is not attached to the ECS service {place}"
    )))
}
