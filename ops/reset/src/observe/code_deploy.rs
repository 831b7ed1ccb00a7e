//! CodeDeploy's deployment of the service, where CodeDeploy is who deploys it.

use aws_sdk_codedeploy::types::DeploymentStatus;
use contract::names::resource;

use crate::{AwsError, Clients};

/// The deployment that is under way in the lab's deployment group, if any.
pub(super) async fn under_way(clients: &Clients) -> Result<Option<String>, AwsError> {
    const OPERATION: &str = "codedeploy:ListDeployments";
    let mut list = clients
        .codedeploy
        .list_deployments()
        .application_name(resource::DEPLOY_APPLICATION)
        .deployment_group_name(resource::DEPLOYMENT_GROUP);
    for status in
        [DeploymentStatus::Created, DeploymentStatus::Queued, DeploymentStatus::InProgress, DeploymentStatus::Ready]
    {
        list = list.include_only_statuses(status);
    }
    match list.send().await.map_err(AwsError::from_sdk(OPERATION)) {
        Ok(found) => Ok(found.deployments.unwrap_or_default().into_iter().next()),
        // A service of CodeDeploy's that has no group (yet) has no deployment either.
        Err(error) if error.code.as_deref().is_some_and(|code| code.ends_with("DoesNotExistException")) => Ok(None),
        Err(error) => Err(error),
    }
}
