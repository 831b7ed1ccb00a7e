//! What is done through CodeDeploy, or in its place: on its services ECS takes no deployment of others.

use std::time::Duration;

use aws_sdk_codedeploy::types::{DeploymentInfo, DeploymentStatus};
use tokio::time::Instant;

use crate::{AwsError, Clients, Names, StepError};

/// Between two looks at a deployment that is being stopped.
const LOOK: Duration = Duration::from_millis(200);
/// A stop takes effect within a second, and the rollback only shifts traffic.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops a deployment and waits until its rollback has given the traffic back.
pub(super) async fn stop(clients: &Clients, id: &str) -> Result<String, StepError> {
    const STOP: &str = "codedeploy:StopDeployment";
    let stop = clients.codedeploy.stop_deployment().deployment_id(id).auto_rollback_enabled(true);
    if let Err(error) = stop.send().await.map_err(AwsError::from_sdk(STOP)) {
        // It ended by itself, or it is a rollback: both are what is wanted, once they are over.
        let ending = ["DeploymentAlreadyCompletedException", "UnsupportedActionForDeploymentTypeException"];
        if !error.code.as_deref().is_some_and(|code| ending.contains(&code)) {
            return Err(error.into());
        }
    }
    let end = Instant::now() + PATIENCE;
    let mut followed = id.to_owned();
    loop {
        let deployment = read(clients, &followed).await?;
        let status = deployment.status().cloned();
        let over =
            matches!(status, Some(DeploymentStatus::Succeeded | DeploymentStatus::Failed | DeploymentStatus::Stopped));
        let rollback = deployment.rollback_info().and_then(|info| info.rollback_deployment_id());
        match rollback {
            Some(rollback) if over && rollback != followed => rollback.clone_into(&mut followed),
            _ if over && followed == id => return Ok("StopDeployment".to_owned()),
            _ if over => return Ok(format!("StopDeployment, and {followed} rolled back")),
            _ if Instant::now() >= end => {
                let status = status.map_or_else(String::new, |status| format!(" ({})", status.as_str()));
                let reason = format!("{followed} is not over after {} s{status}", PATIENCE.as_secs());
                return Err(AwsError::incomplete(STOP, reason).into());
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

async fn read(clients: &Clients, id: &str) -> Result<DeploymentInfo, AwsError> {
    const GET: &str = "codedeploy:GetDeployment";
    let found = clients.codedeploy.get_deployment().deployment_id(id).send().await.map_err(AwsError::from_sdk(GET))?;
    found.deployment_info.ok_or_else(|| AwsError::incomplete(GET, format!("no deployment {id}")))
}

/// Replaces every task by stopping it.
pub(super) async fn replace_tasks(clients: &Clients, names: &Names) -> Result<(), AwsError> {
    let list = clients.ecs.list_tasks().cluster(&names.cluster).service_name(&names.service);
    let tasks = list.send().await.map_err(AwsError::from_sdk("ecs:ListTasks"))?.task_arns.unwrap_or_default();
    for task in tasks {
        let stop = clients.ecs.stop_task().cluster(&names.cluster).task(task).reason("replaced by reset");
        stop.send().await.map_err(AwsError::from_sdk("ecs:StopTask"))?;
    }
    Ok(())
}
