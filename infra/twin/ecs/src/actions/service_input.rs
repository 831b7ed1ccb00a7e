//! What CreateService and UpdateService have in common: load balancers, launch type, network.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{AdvancedConfiguration, CapacityProviderStrategyItem, LoadBalancer, NetworkConfiguration};

use super::input::{invalid, refuse};
use crate::{
    core::Core,
    state::{Definition, Sides, Strategy, TargetOf},
};

/// The target groups, each of which must exist and name the container and a port of it.
pub(super) async fn targets(
    core: &Arc<Core>,
    definition: &Definition,
    load_balancers: &[LoadBalancer],
) -> Result<Vec<Sides>, AwsError> {
    let mut sides = Vec::new();
    for balancer in load_balancers {
        refuse(balancer.load_balancer_name.is_some(), "Classic Load Balancers")?;
        let name = balancer.container_name.as_deref().unwrap_or_default();
        if name != definition.container_name() {
            return Err(invalid(format!("The container {name} does not exist in the task definition.")));
        }
        let port = balancer.container_port.unwrap_or_default();
        let mappings = definition.container.port_mappings.iter().flatten();
        if !mappings.clone().any(|it| it.container_port == Some(port)) {
            return Err(invalid(format!("The container {name} did not have a container port {port} defined.")));
        }
        let container_port = u16::try_from(port).map_err(|_| invalid(format!("containerPort {port} is no port")))?;
        let target_group_arn = balancer.target_group_arn.clone().unwrap_or_default();
        let main = target(core, target_group_arn, container_port).await?;
        let alternate = match &balancer.advanced_configuration {
            None => None,
            Some(advanced) => {
                listener_rules(core, advanced).await?;
                match &advanced.alternate_target_group_arn {
                    None => None,
                    Some(arn) if *arn == main.target_group_arn => {
                        return Err(invalid(
                            "targetGroupArn and alternateTargetGroupArn must be different target groups.",
                        ));
                    }
                    Some(arn) => Some(target(core, arn.clone(), container_port).await?),
                }
            }
        };
        sides.push(Sides { main, alternate });
    }
    Ok(sides)
}

async fn target(core: &Arc<Core>, target_group_arn: String, container_port: u16) -> Result<TargetOf, AwsError> {
    if core.targets.exists(&target_group_arn).await {
        return Ok(TargetOf { target_group_arn, container_port });
    }
    Err(invalid(format!(
        "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being \
         passed has the proper permissions. (The target group {target_group_arn} does not exist.)"
    )))
}

/// The rules that traffic is shifted at must be there.
async fn listener_rules(core: &Arc<Core>, advanced: &AdvancedConfiguration) -> Result<(), AwsError> {
    for rule in [&advanced.production_listener_rule, &advanced.test_listener_rule].into_iter().flatten() {
        if core.targets.forwards(rule).await.is_none() {
            return Err(invalid(format!(
                "Unable to assume role and validate the specified listener rule. (The listener rule {rule} does not exist.)"
            )));
        }
    }
    Ok(())
}

/// Traffic can only be shifted between two target groups at a rule, by a role that may do so.
pub(super) fn advanced(strategy: Strategy, load_balancers: &[LoadBalancer]) -> Result<(), AwsError> {
    if strategy == Strategy::Rolling {
        return Ok(());
    }
    for balancer in load_balancers {
        let given = balancer.advanced_configuration.clone().unwrap_or_default();
        for (value, name) in [
            (&given.alternate_target_group_arn, "alternateTargetGroupArn"),
            (&given.production_listener_rule, "productionListenerRule"),
            (&given.role_arn, "roleArn"),
        ] {
            if value.as_deref().is_none_or(str::is_empty) {
                return Err(invalid(format!(
                    "advancedConfiguration.{name} must be specified for each load balancer when the deployment strategy is {}.",
                    strategy.as_str()
                )));
            }
        }
    }
    Ok(())
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
