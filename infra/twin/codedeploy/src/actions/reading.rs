//! GetDeployment, BatchGetDeployments, ListDeployments.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_codedeploy::model::{
    BatchGetDeploymentsInput, BatchGetDeploymentsOutput, GetDeploymentInput, GetDeploymentOutput, ListDeploymentsInput,
    ListDeploymentsOutput,
};

use super::no_page;
use crate::core::Core;

/// `DeploymentStatus` in the API reference.
const STATUSES: [&str; 8] = ["Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready"];
const BATCH_MAX: usize = 25;

pub(super) fn get(core: &Arc<Core>, input: GetDeploymentInput) -> Result<GetDeploymentOutput, AwsError> {
    let info = core.state().deployment(&input.deployment_id)?.info();
    Ok(GetDeploymentOutput { deployment_info: Some(info) })
}

/// Those that are not there are left out, as in AWS.
pub(super) fn batch_get(
    core: &Arc<Core>,
    input: BatchGetDeploymentsInput,
) -> Result<BatchGetDeploymentsOutput, AwsError> {
    if input.deployment_ids.len() > BATCH_MAX {
        return Err(AwsError::client("BatchLimitExceededException", "The batch limit of 25 deployments was exceeded."));
    }
    let mut state = core.state();
    let found = input.deployment_ids.iter().filter_map(|id| state.deployment(id).ok().map(|it| it.info())).collect();
    Ok(BatchGetDeploymentsOutput { deployments_info: Some(found) })
}

/// Newest first.
pub(super) fn list(core: &Arc<Core>, input: ListDeploymentsInput) -> Result<ListDeploymentsOutput, AwsError> {
    no_page(input.next_token.as_ref())?;
    let statuses = input.include_only_statuses.unwrap_or_default();
    if let Some(unknown) = statuses.iter().find(|status| !STATUSES.contains(&status.as_str())) {
        return Err(AwsError::client(
            "InvalidDeploymentStatusException",
            format!("The status {unknown} is not valid."),
        ));
    }
    let mut state = core.state();
    match (&input.application_name, &input.deployment_group_name) {
        (Some(application), Some(group)) => drop(state.group(application, group)?),
        (None, None) => {}
        (Some(_), None) => {
            let message = "Deployment group name is required";
            return Err(AwsError::client("DeploymentGroupNameRequiredException", message));
        }
        (None, Some(_)) => {
            return Err(AwsError::client("ApplicationNameRequiredException", "Application name is required"));
        }
    }
    let (start, end) = input.create_time_range.map_or((None, None), |range| (range.start, range.end));
    let found = state.deployments.iter().rev().map(|it| it.info()).filter(|info| {
        let created = info.create_time.unwrap_or_default();
        (statuses.is_empty() || info.status.as_ref().is_some_and(|status| statuses.contains(status)))
            && (input.application_name.is_none() || info.application_name == input.application_name)
            && (input.deployment_group_name.is_none() || info.deployment_group_name == input.deployment_group_name)
            && start.is_none_or(|start| created >= start)
            && end.is_none_or(|end| created <= end)
    });
    Ok(ListDeploymentsOutput {
        deployments: Some(found.filter_map(|info| info.deployment_id).collect()),
        next_token: None,
    })
}
