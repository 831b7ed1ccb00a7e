//! Deployment configurations: how traffic is shifted.

use std::time::Duration;

use twin_platform::Speed;
use winterbaume_codedeploy::model::{DeploymentConfigInfo, TimeBasedCanary, TimeBasedLinear, TrafficRoutingConfig};

/// What a group has unless it says otherwise.
pub(crate) const DEFAULT: &str = "CodeDeployDefault.ECSAllAtOnce";

/// Name, kind, per cent of a step, minutes between steps ("Predefined deployment configurations for an Amazon ECS compute platform").
const PREDEFINED: [(&str, &str, i32, i32); 5] = [
    (DEFAULT, "AllAtOnce", 100, 0),
    ("CodeDeployDefault.ECSCanary10Percent15Minutes", "TimeBasedCanary", 10, 15),
    ("CodeDeployDefault.ECSCanary10Percent5Minutes", "TimeBasedCanary", 10, 5),
    ("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", "TimeBasedLinear", 10, 1),
    ("CodeDeployDefault.ECSLinear10PercentEvery3Minutes", "TimeBasedLinear", 10, 3),
];

/// Those that AWS has made.
pub(crate) fn predefined(create_time: f64) -> impl Iterator<Item = DeploymentConfigInfo> {
    PREDEFINED.into_iter().map(move |(name, kind, percent, minutes)| DeploymentConfigInfo {
        deployment_config_id: Some(uuid::Uuid::new_v4().to_string()),
        deployment_config_name: Some(name.to_owned()),
        compute_platform: Some("ECS".into()),
        create_time: Some(create_time),
        traffic_routing_config: Some(routing(kind, percent, minutes)),
        ..DeploymentConfigInfo::default()
    })
}

fn routing(kind: &str, percent: i32, minutes: i32) -> TrafficRoutingConfig {
    TrafficRoutingConfig {
        r#type: Some(kind.to_owned()),
        time_based_canary: (kind == "TimeBasedCanary")
            .then_some(TimeBasedCanary { canary_percentage: Some(percent), canary_interval: Some(minutes) }),
        time_based_linear: (kind == "TimeBasedLinear")
            .then_some(TimeBasedLinear { linear_percentage: Some(percent), linear_interval: Some(minutes) }),
    }
}

/// The shares of the traffic in per cent that the replacement gets one after the other, and the wait between two.
pub(crate) fn steps(routing: &TrafficRoutingConfig, speed: Speed) -> (Vec<u32>, Duration) {
    let read = |percent: Option<i32>| percent.and_then(|it| u32::try_from(it).ok()).filter(|it| (1..100).contains(it));
    let wait = |minutes: Option<i32>| speed.wait(f64::from(minutes.unwrap_or_default()) * 60.0);
    if let Some(canary) = &routing.time_based_canary
        && let Some(percent) = read(canary.canary_percentage)
    {
        return (vec![percent, 100], wait(canary.canary_interval));
    }
    if let Some(linear) = &routing.time_based_linear
        && let Some(percent) = read(linear.linear_percentage)
    {
        let step = usize::try_from(percent).unwrap_or(1);
        return ((percent..100).step_by(step).chain([100]).collect(), wait(linear.linear_interval));
    }
    (vec![100], Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_end_with_all_traffic() {
        let speed = Speed::new(10.0).expect("a factor");
        assert_eq!(steps(&routing("AllAtOnce", 0, 0), speed).0, [100]);
        let canary = steps(&routing("TimeBasedCanary", 10, 5), speed);
        assert_eq!(canary, (vec![10, 100], Duration::from_secs(30)));
        let linear = steps(&routing("TimeBasedLinear", 30, 1), speed);
        assert_eq!(linear, (vec![30, 60, 90, 100], Duration::from_secs(6)));
    }
}
