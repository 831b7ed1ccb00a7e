//! Auto scaling of the service: between the lab's task count and twice that, by CPU and by requests.
//!
//! Where the numbers come from: the smallest count is the lab's own. The largest is what the database has sessions for (four
//! tasks with a pool of four, of seventeen). 60 % CPU leaves room for the minutes until new tasks run, below the alarm on a
//! task's CPU at 80 % and far above what a drill's load needs. 12 000 requests a minute are 200 a second for each task, twice what a
//! drill at 200 requests a second gives the lab's two. The cooldowns are what AWS takes for ECS when none is given, written out.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_applicationautoscaling::{
    Client,
    types::{
        MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ServiceNamespace,
        TargetTrackingScalingPolicyConfiguration,
    },
};
use contract::names::{resource, scaling};

use super::{Dimensions, problem};

/// Percent of the CPU that the tasks are given.
const CPU_TARGET_PERCENT: f64 = 60.0;
/// Requests of one target in a minute.
const REQUESTS_TARGET: f64 = 12_000.0;
/// Seconds that a scaling activity is given to take effect.
const COOLDOWN_S: i32 = 300;

/// Registers the service and puts its policies; a target that is there stays as it is.
pub(super) async fn create(config: &SdkConfig, dimensions: &Dimensions) -> Result<()> {
    let client = Client::new(config);
    let resource_id = scaling::resource_id(resource::CLUSTER, resource::SERVICE);
    let described = client
        .describe_scalable_targets()
        .service_namespace(ServiceNamespace::Ecs)
        .resource_ids(&resource_id)
        .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
        .send()
        .await
        .map_err(|error| problem::aws("reading the scalable target", error))?;
    if described.scalable_targets().is_empty() {
        client
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(&resource_id)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .min_capacity(scaling::MIN_COUNT)
            .max_capacity(scaling::MAX_COUNT)
            .send()
            .await
            .map_err(|error| problem::aws("registering the scalable target", error))?;
    }
    let label = format!("{}/{}", dimensions.load_balancer, dimensions.target_group);
    let by_cpu =
        PredefinedMetricSpecification::builder().predefined_metric_type(MetricType::EcsServiceAverageCpuUtilization);
    let by_requests = PredefinedMetricSpecification::builder()
        .predefined_metric_type(MetricType::AlbRequestCountPerTarget)
        .resource_label(label);
    for (name, metric, target) in
        [(scaling::CPU_POLICY, by_cpu, CPU_TARGET_PERCENT), (scaling::REQUESTS_POLICY, by_requests, REQUESTS_TARGET)]
    {
        let tracking = TargetTrackingScalingPolicyConfiguration::builder()
            .predefined_metric_specification(metric.build().context("a metric has a type")?)
            .target_value(target)
            .scale_out_cooldown(COOLDOWN_S)
            .scale_in_cooldown(COOLDOWN_S)
            .build()
            .context("target tracking has a target")?;
        client
            .put_scaling_policy()
            .policy_name(name)
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(&resource_id)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .policy_type(PolicyType::TargetTrackingScaling)
            .target_tracking_scaling_policy_configuration(tracking)
            .send()
            .await
            .map_err(|error| problem::aws("creating a scaling policy", error))?;
    }
    Ok(())
}
