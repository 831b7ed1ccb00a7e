//! What CreateService and UpdateService have in common: load balancers, deployment configuration, network.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{
    CapacityProviderStrategyItem, DeploymentConfiguration, LoadBalancer, NetworkConfiguration,
};

use super::input::{invalid, refuse, some};
use crate::{
    core::Core,
    state::{Breaker, Definition, TargetOf},
};

/// Percentages and breaker of a rolling deployment.
#[derive(Clone, Copy)]
pub(super) struct Rolling {
    pub(super) minimum_percent: u32,
    pub(super) maximum_percent: u32,
    pub(super) breaker: Option<Breaker>,
}

impl Rolling {
    /// What ECS takes when nothing is said.
    pub(super) const DEFAULT: Self = Self { minimum_percent: 100, maximum_percent: 200, breaker: None };

    /// This with what the configuration says in its place.
    pub(super) fn with(self, given: Option<&DeploymentConfiguration>) -> Result<Self, AwsError> {
        let Some(given) = given else { return Ok(self) };
        let strategy = given.strategy.as_deref().unwrap_or("ROLLING");
        refuse(strategy != "ROLLING", &format!("the deployment strategy {strategy}"))?;
        refuse(given.alarms.as_ref().is_some_and(|alarms| alarms.enable), "deployment alarms")?;
        refuse(some(given.lifecycle_hooks.as_ref()), "deployment lifecycle hooks")?;
        refuse(given.bake_time_in_minutes.is_some_and(|minutes| minutes > 0), "bakeTimeInMinutes")?;
        let percent = |value: Option<i32>, before: u32| value.map_or(Ok(before), u32::try_from);
        let out_of_range = |_| invalid("Deployment percentages must not be negative.");
        let minimum_percent = percent(given.minimum_healthy_percent, self.minimum_percent).map_err(out_of_range)?;
        let maximum_percent = percent(given.maximum_percent, self.maximum_percent).map_err(out_of_range)?;
        if minimum_percent > 100 || !(100..=1000).contains(&maximum_percent) {
            return Err(invalid(format!(
                "minimumHealthyPercent {minimum_percent} must be within 0 and 100 and maximumPercent {maximum_percent} within 100 and 1000"
            )));
        }
        if minimum_percent == 100 && maximum_percent == 100 {
            return Err(invalid(
                "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
            ));
        }
        let breaker = match &given.deployment_circuit_breaker {
            Some(breaker) => breaker.enable.then_some(Breaker { rollback: breaker.rollback }),
            None => self.breaker,
        };
        Ok(Self { minimum_percent, maximum_percent, breaker })
    }
}

/// The target groups, each of which must exist and name the container and a port of it.
pub(super) async fn targets(
    core: &Arc<Core>,
    definition: &Definition,
    load_balancers: &[LoadBalancer],
) -> Result<Vec<TargetOf>, AwsError> {
    let mut targets = Vec::new();
    for balancer in load_balancers {
        refuse(balancer.load_balancer_name.is_some(), "Classic Load Balancers")?;
        refuse(balancer.advanced_configuration.is_some(), "advancedConfiguration (blue/green)")?;
        let name = balancer.container_name.as_deref().unwrap_or_default();
        if name != definition.container_name() {
            return Err(invalid(format!("The container {name} does not exist in the task definition.")));
        }
        let port = balancer.container_port.unwrap_or_default();
        let mappings = definition.container.port_mappings.iter().flatten();
        if !mappings.clone().any(|it| it.container_port == Some(port)) {
            return Err(invalid(format!("The container {name} did not have a container port {port} defined.")));
        }
        let target_group_arn = balancer.target_group_arn.clone().unwrap_or_default();
        if !core.targets.exists(&target_group_arn).await {
            return Err(invalid(format!(
                "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being \
                 passed has the proper permissions. (The target group {target_group_arn} does not exist.)"
            )));
        }
        let container_port = u16::try_from(port).map_err(|_| invalid(format!("containerPort {port} is no port")))?;
        targets.push(TargetOf { target_group_arn, container_port });
    }
    Ok(targets)
}

/// Fargate and nothing else.
pub(super) fn launch_type(
    launch_type: Option<&str>,
    strategy: Option<&Vec<CapacityProviderStrategyItem>>,
) -> Result<(), AwsError> {
    let by_provider = strategy.filter(|items| !items.is_empty());
    match (launch_type, by_provider) {
        (Some(_), Some(_)) => Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        )),
        (Some("FARGATE"), None) => Ok(()),
        (None, Some(items)) => match items.iter().find(|item| item.capacity_provider != "FARGATE") {
            None => Ok(()),
            Some(item) => refuse(true, &format!("the capacity provider {}", item.capacity_provider)),
        },
        (None, None) => {
            Err(invalid("No Container Instances were found in your cluster. (Give the launch type FARGATE.)"))
        }
        (Some(other), None) => refuse(true, &format!("the launch type {other}")),
    }
}

/// An awsvpc task needs subnets.
pub(super) fn network(given: Option<&NetworkConfiguration>) -> Result<(), AwsError> {
    match given.and_then(|it| it.awsvpc_configuration.as_ref()) {
        None => Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")),
        Some(vpc) if vpc.subnets.is_empty() => Err(invalid("subnets can not be empty.")),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let given = DeploymentConfiguration { minimum_healthy_percent: Some(50), ..DeploymentConfiguration::default() };
        let before = Rolling { breaker: Some(Breaker { rollback: true }), ..Rolling::DEFAULT };
        let after = before.with(Some(&given)).expect("a good configuration");
        assert_eq!((after.minimum_percent, after.maximum_percent), (50, 200));
        assert_eq!(after.breaker, Some(Breaker { rollback: true }));
    }

    #[test]
    fn other_strategies_and_impossible_percentages_are_refused() {
        let strategy =
            DeploymentConfiguration { strategy: Some("BLUE_GREEN".into()), ..DeploymentConfiguration::default() };
        let stuck = DeploymentConfiguration { maximum_percent: Some(100), ..DeploymentConfiguration::default() };
        let negative =
            DeploymentConfiguration { minimum_healthy_percent: Some(-1), ..DeploymentConfiguration::default() };
        for given in [strategy, stuck, negative] {
            assert!(Rolling::DEFAULT.with(Some(&given)).is_err());
        }
    }
}
