//! CreateDeployment. All that can be wrong is found before the deployment exists.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_codedeploy::model::{CreateDeploymentInput, CreateDeploymentOutput, DeploymentInfo};
use winterbaume_ecs::model::TaskDefinition;

use super::refuse;
use crate::{
    appspec::{AppSpec, invalid},
    core::Core,
    deployment::{Deployment, fresh_id},
    group::{self, Plan},
    revision,
    run::Run,
};

/// AWS takes descriptions up to this length.
const DESCRIPTION_MAX: usize = 1000;

pub(super) async fn create(core: &Arc<Core>, input: CreateDeploymentInput) -> Result<CreateDeploymentOutput, AwsError> {
    let (application, group_name) = (input.application_name, input.deployment_group_name.unwrap_or_default());
    let group = core.state().group(&application, &group_name)?.clone();
    if input.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX) {
        return Err(AwsError::client("DescriptionTooLongException", "The description is too long."));
    }
    refuse(input.target_instances.is_some(), "targetInstances (of the compute platform Server)")?;
    let wanted = input.deployment_config_name.or_else(|| group.deployment_config_name.clone()).unwrap_or_default();
    let config = core.state().config(&wanted)?.clone();
    group::alarms(input.override_alarm_configuration.as_ref())?;
    let alarms = input.override_alarm_configuration.as_ref().or(group.alarm_configuration.as_ref());
    group::rollback(input.auto_rollback_configuration.as_ref(), alarms)?;
    let plan = Plan::of(&group, alarms, input.auto_rollback_configuration.as_ref(), core.speed)?;
    let revision = input
        .revision
        .ok_or_else(|| AwsError::client("RevisionRequiredException", "Revision is required for an ECS deployment"))?;
    let spec = revision::appspec(&*core.platform, &revision).await?;
    let definition = core.platform.task_definition(&spec.task_definition).await;
    fits(
        &spec,
        &definition.map_err(|error| {
            invalid(format!("The task definition {} cannot be used: {}", spec.task_definition, error.message))
        })?,
    )?;
    let id = fresh_id();
    let info = DeploymentInfo {
        application_name: Some(application.clone()),
        deployment_group_name: Some(group_name.clone()),
        deployment_config_name: Some(wanted),
        deployment_id: Some(id.clone()),
        previous_revision: group.target_revision.clone(),
        revision: Some(revision),
        description: input.description,
        creator: Some("user".into()),
        ignore_application_stop_failures: Some(input.ignore_application_stop_failures.unwrap_or_default()),
        auto_rollback_configuration: input.auto_rollback_configuration.or(group.auto_rollback_configuration.clone()),
        update_outdated_instances_only: Some(false),
        deployment_style: group.deployment_style.clone(),
        instance_termination_wait_time_started: Some(false),
        blue_green_deployment_configuration: group.blue_green_deployment_configuration.clone(),
        load_balancer_info: group.load_balancer_info.clone(),
        file_exists_behavior: Some(input.file_exists_behavior.unwrap_or_else(|| "DISALLOW".into())),
        deployment_status_messages: Some(Vec::new()),
        compute_platform: Some("ECS".into()),
        override_alarm_configuration: input.override_alarm_configuration,
        ..DeploymentInfo::default()
    };
    {
        let mut state = core.state();
        // Looked at again: it may be gone, and another deployment may have begun.
        state.group(&application, &group_name)?;
        if let Some(active) = state.active(&application, &group_name) {
            let message =
                format!("The Deployment Group '{group_name}' already has an active Deployment '{}'", active.id());
            return Err(AwsError::client("DeploymentLimitExceededException", message));
        }
        state.deployments.push(Deployment::new(info, plan.place.clone(), plan.route.test.is_some()));
    }
    let routing = config.traffic_routing_config.unwrap_or_default();
    let run = Run { core: Arc::clone(core), id: id.clone(), plan, spec, routing };
    tokio::spawn(run.follow());
    Ok(CreateDeploymentOutput { deployment_id: Some(id) })
}

/// Whether the task definition has the container and the port that the AppSpec names.
fn fits(spec: &AppSpec, definition: &TaskDefinition) -> Result<(), AwsError> {
    let name = &spec.task_definition;
    if definition.status.as_deref().is_some_and(|status| status != "ACTIVE") {
        return Err(invalid(format!("The task definition {name} is not active.")));
    }
    let mut containers = definition.container_definitions.iter().flatten();
    let container = containers.find(|it| it.name.as_deref() == Some(&*spec.container));
    let container = container.ok_or_else(|| {
        invalid(format!("The container {} does not exist in the task definition {name}.", spec.container))
    })?;
    let mut ports = container.port_mappings.iter().flatten();
    if ports.any(|mapping| mapping.container_port == Some(spec.port)) {
        return Ok(());
    }
    Err(invalid(format!(
        "The container {} of the task definition {name} did not have a container port {} defined.",
        spec.container, spec.port
    )))
}
