//! Deployment groups: the service, its target groups and listeners, and what ends a deployment.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_codedeploy::model::{
    BatchGetDeploymentGroupsInput, BatchGetDeploymentGroupsOutput, CreateDeploymentGroupInput,
    CreateDeploymentGroupOutput, DeleteDeploymentGroupInput, DeleteDeploymentGroupOutput, DeploymentGroupInfo,
    GetDeploymentGroupInput, GetDeploymentGroupOutput, ListDeploymentGroupsInput, ListDeploymentGroupsOutput,
    UpdateDeploymentGroupInput, UpdateDeploymentGroupOutput,
};

use super::{is_name, no_page, refuse};
use crate::{
    config,
    core::{Core, State},
    group,
};

pub(super) async fn create(
    core: &Arc<Core>,
    input: CreateDeploymentGroupInput,
) -> Result<CreateDeploymentGroupOutput, AwsError> {
    let (application, name) = (input.application_name, input.deployment_group_name);
    for_servers(&[
        (some(input.ec2_tag_filters.as_ref()) || input.ec2_tag_set.is_some(), "EC2 tags"),
        (
            some(input.on_premises_instance_tag_filters.as_ref()) || input.on_premises_tag_set.is_some(),
            "on-premises tags",
        ),
        (some(input.auto_scaling_groups.as_ref()), "Auto Scaling groups"),
    ])?;
    refuse(some(input.trigger_configurations.as_ref()), "triggers")?;
    refuse(some(input.tags.as_ref()), "tags")?;
    core.state().application(&application)?;
    named(&name)?;
    let id = uuid::Uuid::new_v4().to_string();
    let made = DeploymentGroupInfo {
        application_name: Some(application.clone()),
        deployment_group_id: Some(id.clone()),
        deployment_group_name: Some(name.clone()),
        deployment_config_name: Some(input.deployment_config_name.unwrap_or_else(|| config::DEFAULT.into())),
        service_role_arn: Some(input.service_role_arn),
        alarm_configuration: input.alarm_configuration,
        auto_rollback_configuration: input.auto_rollback_configuration,
        deployment_style: input.deployment_style,
        outdated_instances_strategy: input.outdated_instances_strategy.or_else(|| Some("UPDATE".into())),
        blue_green_deployment_configuration: input.blue_green_deployment_configuration,
        load_balancer_info: input.load_balancer_info,
        compute_platform: Some("ECS".into()),
        ecs_services: input.ecs_services,
        termination_hook_enabled: Some(false),
        ..DeploymentGroupInfo::default()
    };
    group::check(&*core.platform, &made).await?;
    let mut state = core.state();
    placed(&mut state, &made, None)?;
    state.application(&application)?.groups.insert(name, made);
    Ok(CreateDeploymentGroupOutput { deployment_group_id: Some(id) })
}

/// What is given replaces what was; a deployment under way goes on as it began.
pub(super) async fn update(
    core: &Arc<Core>,
    input: UpdateDeploymentGroupInput,
) -> Result<UpdateDeploymentGroupOutput, AwsError> {
    let (application, current) = (input.application_name, input.current_deployment_group_name);
    for_servers(&[
        (some(input.ec2_tag_filters.as_ref()) || input.ec2_tag_set.is_some(), "EC2 tags"),
        (
            some(input.on_premises_instance_tag_filters.as_ref()) || input.on_premises_tag_set.is_some(),
            "on-premises tags",
        ),
        (some(input.auto_scaling_groups.as_ref()), "Auto Scaling groups"),
    ])?;
    refuse(some(input.trigger_configurations.as_ref()), "triggers")?;
    let old = core.state().group(&application, &current)?.clone();
    let name = input.new_deployment_group_name.unwrap_or_else(|| current.clone());
    named(&name)?;
    let made = DeploymentGroupInfo {
        deployment_group_name: Some(name.clone()),
        deployment_config_name: input.deployment_config_name.or(old.deployment_config_name),
        service_role_arn: input.service_role_arn.or(old.service_role_arn),
        alarm_configuration: input.alarm_configuration.or(old.alarm_configuration),
        auto_rollback_configuration: input.auto_rollback_configuration.or(old.auto_rollback_configuration),
        deployment_style: input.deployment_style.or(old.deployment_style),
        outdated_instances_strategy: input.outdated_instances_strategy.or(old.outdated_instances_strategy),
        blue_green_deployment_configuration: input
            .blue_green_deployment_configuration
            .or(old.blue_green_deployment_configuration),
        load_balancer_info: input.load_balancer_info.or(old.load_balancer_info),
        ecs_services: input.ecs_services.or(old.ecs_services),
        ..old
    };
    group::check(&*core.platform, &made).await?;
    let mut state = core.state();
    placed(&mut state, &made, Some(&current))?;
    // What a deployment has written meanwhile stays.
    let now = state.group(&application, &current)?.clone();
    let made = DeploymentGroupInfo {
        last_attempted_deployment: now.last_attempted_deployment,
        last_successful_deployment: now.last_successful_deployment,
        target_revision: now.target_revision,
        ..made
    };
    let groups = &mut state.application(&application)?.groups;
    groups.remove(&current);
    groups.insert(name, made);
    Ok(UpdateDeploymentGroupOutput { hooks_not_cleaned_up: Some(Vec::new()) })
}

pub(super) fn get(core: &Arc<Core>, input: GetDeploymentGroupInput) -> Result<GetDeploymentGroupOutput, AwsError> {
    let found = core.state().group(&input.application_name, &input.deployment_group_name)?.clone();
    Ok(GetDeploymentGroupOutput { deployment_group_info: Some(found) })
}

pub(super) fn batch_get(
    core: &Arc<Core>,
    input: BatchGetDeploymentGroupsInput,
) -> Result<BatchGetDeploymentGroupsOutput, AwsError> {
    let mut state = core.state();
    let find = |name: &String| Ok(state.group(&input.application_name, name)?.clone());
    let found: Result<Vec<_>, AwsError> = input.deployment_group_names.iter().map(find).collect();
    Ok(BatchGetDeploymentGroupsOutput { deployment_groups_info: Some(found?), error_message: None })
}

pub(super) fn list(core: &Arc<Core>, input: ListDeploymentGroupsInput) -> Result<ListDeploymentGroupsOutput, AwsError> {
    no_page(input.next_token.as_ref())?;
    let names = core.state().application(&input.application_name)?.groups.keys().cloned().collect();
    Ok(ListDeploymentGroupsOutput {
        application_name: Some(input.application_name),
        deployment_groups: Some(names),
        next_token: None,
    })
}

/// One that does not exist is no error, as in AWS.
pub(super) fn delete(
    core: &Arc<Core>,
    input: DeleteDeploymentGroupInput,
) -> Result<DeleteDeploymentGroupOutput, AwsError> {
    let (application, group) = (input.application_name, input.deployment_group_name);
    let mut state = core.state();
    if let Some(active) = state.active(&application, &group) {
        let message = format!("The Deployment Group '{group}' has an active Deployment '{}'", active.id());
        return Err(AwsError::client("InvalidInputException", message));
    }
    if let Some(application) = state.applications.get_mut(&application) {
        application.groups.remove(&group);
    }
    Ok(DeleteDeploymentGroupOutput { hooks_not_cleaned_up: Some(Vec::new()) })
}

/// Whether the group may be at its place: a free name, a configuration that is there, a service of its own.
fn placed(state: &mut State, made: &DeploymentGroupInfo, current: Option<&str>) -> Result<(), AwsError> {
    let name = made.deployment_group_name.as_deref().unwrap_or_default();
    let application = state.application(made.application_name.as_deref().unwrap_or_default())?;
    if Some(name) != current && application.groups.contains_key(name) {
        let message = format!("Deployment group name already exists: {name}");
        return Err(AwsError::client("DeploymentGroupAlreadyExistsException", message));
    }
    state.config(made.deployment_config_name.as_deref().unwrap_or_default())?;
    let place = group::place(made)?;
    let mut others = state.applications.values().flat_map(|it| it.groups.values());
    let taken = others.any(|other| {
        let same = other.deployment_group_id == made.deployment_group_id;
        !same && group::place(other).is_ok_and(|other| other == place)
    });
    if taken {
        let message = format!("The ECS service {} is already in another deployment group.", place.service);
        return Err(AwsError::client("ECSServiceMappingLimitExceededException", message));
    }
    Ok(())
}

fn named(name: &str) -> Result<(), AwsError> {
    if name.is_empty() {
        return Err(AwsError::client("DeploymentGroupNameRequiredException", "Deployment group name is required"));
    }
    if is_name(name) {
        return Ok(());
    }
    Err(AwsError::client(
        "InvalidDeploymentGroupNameException",
        format!("The deployment group name {name} is not valid."),
    ))
}

/// Refuses what belongs to the compute platform Server.
fn for_servers(given: &[(bool, &str)]) -> Result<(), AwsError> {
    match given.iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, what)) => {
            let message = format!("For ECS deployment group, {what} cannot be specified.");
            Err(AwsError::client("InvalidInputException", message))
        }
    }
}

fn some<T>(list: Option<&Vec<T>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}
