//! StopDeployment and ContinueDeployment: what a person asks of a deployment under way.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_codedeploy::model::{ContinueDeploymentInput, StopDeploymentInput, StopDeploymentOutput};

use crate::{
    core::Core,
    deployment::{Deployment, Wait},
};

pub(super) fn stop(core: &Arc<Core>, input: StopDeploymentInput) -> Result<StopDeploymentOutput, AwsError> {
    {
        let mut state = core.state();
        let deployment = under_way(state.deployment(&input.deployment_id)?)?;
        let info = deployment.info();
        if info.creator.as_deref() == Some("codeDeployRollback") {
            let message = "A rollback cannot be stopped.";
            return Err(AwsError::client("UnsupportedActionForDeploymentTypeException", message));
        }
        let configured = info.auto_rollback_configuration.filter(|it| it.enabled == Some(true));
        let on_request = configured.and_then(|it| it.events).unwrap_or_default();
        let on_request = on_request.iter().any(|event| event == "DEPLOYMENT_STOP_ON_REQUEST");
        deployment.asked.stop = Some(input.auto_rollback_enabled.unwrap_or(on_request));
    }
    core.told.notify_waiters();
    Ok(StopDeploymentOutput {
        status: Some("Pending".into()),
        status_message: Some("Stopping the deployment is pending.".into()),
    })
}

pub(super) fn go_on(core: &Arc<Core>, input: ContinueDeploymentInput) -> Result<(), AwsError> {
    {
        let mut state = core.state();
        let deployment = under_way(state.deployment(input.deployment_id.as_deref().unwrap_or_default())?)?;
        let not_ready = || {
            let message = "The deployment does not have a status of Ready and can't continue yet.";
            AwsError::client("DeploymentIsNotInReadyStateException", message)
        };
        match (input.deployment_wait_type.as_deref().unwrap_or("READY_WAIT"), deployment.wait) {
            ("READY_WAIT", Some(Wait::Ready)) => deployment.asked.end_ready_wait = true,
            ("TERMINATION_WAIT", Some(Wait::Termination)) => deployment.asked.end_termination_wait = true,
            ("READY_WAIT" | "TERMINATION_WAIT", _) => return Err(not_ready()),
            (other, _) => {
                let message = format!("The wait type {other} is not valid.");
                return Err(AwsError::client("InvalidDeploymentWaitTypeException", message));
            }
        }
    }
    core.told.notify_waiters();
    Ok(())
}

fn under_way(deployment: &mut Deployment) -> Result<&mut Deployment, AwsError> {
    if deployment.status().is_over() {
        let message = format!("The deployment {} is in a terminal state.", deployment.id());
        return Err(AwsError::client("DeploymentAlreadyCompletedException", message));
    }
    Ok(deployment)
}
