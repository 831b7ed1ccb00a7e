//! Deployment configurations: AWS's own, and those of the account.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_codedeploy::model::{
    CreateDeploymentConfigInput, CreateDeploymentConfigOutput, DeleteDeploymentConfigInput, DeploymentConfigInfo,
    GetDeploymentConfigInput, GetDeploymentConfigOutput, ListDeploymentConfigsInput, ListDeploymentConfigsOutput,
    TrafficRoutingConfig,
};

use super::{is_name, no_page, refuse};
use crate::core::{Core, now_s};

pub(super) fn create(
    core: &Arc<Core>,
    input: CreateDeploymentConfigInput,
) -> Result<CreateDeploymentConfigOutput, AwsError> {
    let name = input.deployment_config_name;
    if name.is_empty() {
        let message = "Deployment configuration name is required";
        return Err(AwsError::client("DeploymentConfigNameRequiredException", message));
    }
    if !is_name(&name) || name.starts_with("CodeDeployDefault.") {
        let message = format!("The deployment configuration name {name} is not valid.");
        return Err(AwsError::client("InvalidDeploymentConfigNameException", message));
    }
    match input.compute_platform.as_deref().unwrap_or("Server") {
        "ECS" => {}
        other => refuse(true, &format!("a deployment configuration for the compute platform {other} (only ECS)"))?,
    }
    if input.minimum_healthy_hosts.is_some() {
        let message = "minimumHealthyHosts is not for ECS deployments.";
        return Err(AwsError::client("InvalidMinimumHealthyHostValueException", message));
    }
    refuse(input.zonal_config.is_some(), "zonal deployments")?;
    let routing = input.traffic_routing_config.ok_or_else(|| invalid("trafficRoutingConfig is required for ECS."))?;
    check(&routing)?;
    let mut state = core.state();
    if state.configs.contains_key(&name) {
        let message = format!("Deployment configuration {name} already exists.");
        return Err(AwsError::client("DeploymentConfigAlreadyExistsException", message));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let config = DeploymentConfigInfo {
        deployment_config_id: Some(id.clone()),
        deployment_config_name: Some(name.clone()),
        compute_platform: Some("ECS".into()),
        create_time: Some(now_s()),
        traffic_routing_config: Some(routing),
        ..DeploymentConfigInfo::default()
    };
    state.configs.insert(name, config);
    Ok(CreateDeploymentConfigOutput { deployment_config_id: Some(id) })
}

fn check(routing: &TrafficRoutingConfig) -> Result<(), AwsError> {
    let (canary, linear) = (routing.time_based_canary.as_ref(), routing.time_based_linear.as_ref());
    let (percent, minutes) = match (routing.r#type.as_deref(), canary, linear) {
        (Some("AllAtOnce"), None, None) => return Ok(()),
        (Some("TimeBasedCanary"), Some(canary), None) => (canary.canary_percentage, canary.canary_interval),
        (Some("TimeBasedLinear"), None, Some(linear)) => (linear.linear_percentage, linear.linear_interval),
        _ => return Err(invalid("The traffic routing type and its settings do not fit each other.")),
    };
    if !percent.is_some_and(|percent| (1..=99).contains(&percent)) {
        return Err(invalid("The percentage must be between 1 and 99."));
    }
    if !minutes.is_some_and(|minutes| (1..=2880).contains(&minutes)) {
        return Err(invalid("The interval must be between 1 and 2880 minutes."));
    }
    Ok(())
}

fn invalid(message: &str) -> AwsError {
    AwsError::client("InvalidTrafficRoutingConfigurationException", message)
}

pub(super) fn get(core: &Arc<Core>, input: GetDeploymentConfigInput) -> Result<GetDeploymentConfigOutput, AwsError> {
    let found = core.state().config(&input.deployment_config_name)?.clone();
    Ok(GetDeploymentConfigOutput { deployment_config_info: Some(found) })
}

pub(super) fn list(
    core: &Arc<Core>,
    input: ListDeploymentConfigsInput,
) -> Result<ListDeploymentConfigsOutput, AwsError> {
    no_page(input.next_token.as_ref())?;
    let names = core.state().configs.keys().cloned().collect();
    Ok(ListDeploymentConfigsOutput { deployment_configs_list: Some(names), next_token: None })
}

pub(super) fn delete(core: &Arc<Core>, input: DeleteDeploymentConfigInput) -> Result<(), AwsError> {
    let name = input.deployment_config_name;
    let mut state = core.state();
    if name.starts_with("CodeDeployDefault.") {
        return Err(AwsError::client("InvalidOperationException", "The predefined configurations cannot be deleted."));
    }
    state.config(&name)?;
    let used = state.applications.values().flat_map(|it| it.groups.values());
    if used.into_iter().any(|group| group.deployment_config_name.as_deref() == Some(&*name)) {
        return Err(AwsError::client(
            "DeploymentConfigInUseException",
            format!("{name} is used by a deployment group."),
        ));
    }
    state.configs.remove(&name);
    Ok(())
}
