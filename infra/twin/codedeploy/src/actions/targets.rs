//! The targets of a deployment: for ECS the one service, with its lifecycle events and task sets.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_codedeploy::model::{
    BatchGetDeploymentTargetsInput, BatchGetDeploymentTargetsOutput, DeploymentTarget, GetDeploymentTargetInput,
    GetDeploymentTargetOutput, ListDeploymentTargetsInput, ListDeploymentTargetsOutput,
};

use super::no_page;
use crate::core::Core;

pub(super) fn list(
    core: &Arc<Core>,
    input: ListDeploymentTargetsInput,
) -> Result<ListDeploymentTargetsOutput, AwsError> {
    no_page(input.next_token.as_ref())?;
    let mut state = core.state();
    let deployment = state.deployment(&input.deployment_id)?;
    let target = deployment.target(&core.account);
    let status = target.ecs_target.and_then(|target| target.status).unwrap_or_default();
    let mut shown = true;
    for (filter, values) in input.target_filters.unwrap_or_default() {
        match filter.as_str() {
            "TargetStatus" => shown = values.contains(&status),
            other => {
                let message = format!("The target filter {other} is not valid for ECS deployments.");
                return Err(AwsError::client("InvalidTargetFilterNameException", message));
            }
        }
    }
    let ids = Some(deployment.target_id()).filter(|_| shown).into_iter().collect();
    Ok(ListDeploymentTargetsOutput { target_ids: Some(ids), next_token: None })
}

pub(super) fn get(core: &Arc<Core>, input: GetDeploymentTargetInput) -> Result<GetDeploymentTargetOutput, AwsError> {
    if input.target_id.is_empty() {
        return Err(AwsError::client(
            "DeploymentTargetIdRequiredException",
            "A deployment target ID was not provided.",
        ));
    }
    Ok(GetDeploymentTargetOutput { deployment_target: Some(find(core, &input.deployment_id, &input.target_id)?) })
}

pub(super) fn batch_get(
    core: &Arc<Core>,
    input: BatchGetDeploymentTargetsInput,
) -> Result<BatchGetDeploymentTargetsOutput, AwsError> {
    if input.target_ids.is_empty() {
        return Err(AwsError::client(
            "DeploymentTargetIdRequiredException",
            "A deployment target ID was not provided.",
        ));
    }
    let found: Result<Vec<_>, AwsError> =
        input.target_ids.iter().map(|target| find(core, &input.deployment_id, target)).collect();
    Ok(BatchGetDeploymentTargetsOutput { deployment_targets: Some(found?) })
}

fn find(core: &Core, deployment: &str, target: &str) -> Result<DeploymentTarget, AwsError> {
    let mut state = core.state();
    let deployment = state.deployment(deployment)?;
    let own = deployment.target_id();
    let found = deployment.target(&core.account);
    let arn = found.ecs_target.as_ref().and_then(|it| it.target_arn.as_deref());
    if own == target || arn == Some(target) {
        return Ok(found);
    }
    let message = format!("The deployment {} has no target {target}.", deployment.id());
    Err(AwsError::client("DeploymentTargetDoesNotExistException", message))
}
