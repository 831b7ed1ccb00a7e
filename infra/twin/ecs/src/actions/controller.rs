//! The deployment controller: what each allows, and the move of a service from one to another.

use twin_platform::AwsError;
use winterbaume_ecs::model::{DeploymentController, UpdateServiceRequest};

use super::input::invalid;
use crate::state::{Controller, Deployment, Rollout, Service, TaskSet, TaskSetStatus};

/// The controller with this name.
pub(super) fn named(given: Option<&DeploymentController>) -> Result<Option<Controller>, AwsError> {
    let Some(given) = given else { return Ok(None) };
    let found = Controller::ALL.into_iter().find(|it| it.as_str() == given.r#type);
    found.map(Some).ok_or_else(|| invalid(format!("Invalid deployment controller type {}", given.r#type)))
}

/// Refuses what only a new deployment from outside may change.
pub(super) fn allow(controller: Controller, input: &UpdateServiceRequest) -> Result<(), AwsError> {
    let instead = match controller {
        Controller::Ecs => return Ok(()),
        Controller::CodeDeploy => "Use AWS CodeDeploy to trigger a new deployment.",
        Controller::External => "Use CreateTaskSet to trigger a new deployment.",
    };
    let name = controller.as_str();
    for (given, what) in [
        (input.task_definition.is_some(), "update task definition"),
        (input.load_balancers.is_some(), "update load balancers"),
        (input.network_configuration.is_some(), "update network parameters"),
        (input.platform_version.is_some(), "update platform version"),
        (input.force_new_deployment == Some(true), "force a new deployment"),
    ] {
        if given {
            return Err(invalid(format!(
                "Unable to {what} on services with a {name} deployment controller. {instead}"
            )));
        }
    }
    Ok(())
}

/// Whether the service can be moved now: nothing may be under way, and there is one set of tasks to take over.
pub(super) fn may_move(service: &Service, to: Controller) -> Result<(), AwsError> {
    let at_rest = match service.controller {
        Controller::Ecs => matches!(&service.deployments[..], [one] if one.rollout == Rollout::Completed),
        _ => matches!(&service.task_sets[..], [one] if one.status == TaskSetStatus::Primary),
    };
    if !at_rest {
        return Err(invalid(
            "Unable to update the deployment controller while the service has a deployment in progress.",
        ));
    }
    if to == Controller::CodeDeploy && service.load_balancers.len() != 1 {
        return Err(invalid("A service with a CODE_DEPLOY deployment controller needs one load balancer."));
    }
    Ok(())
}

/// Hands the running tasks to the other controller without touching them.
pub(super) fn transfer(service: &mut Service, to: Controller) {
    if to == Controller::Ecs {
        let sets = service.task_sets.drain(..);
        service.deployments = sets.map(|set| Deployment::adopted(set.cohort)).collect();
    } else if service.controller == Controller::Ecs {
        let deployments = service.deployments.drain(..);
        service.task_sets = deployments.map(|it| TaskSet::fresh(it.cohort, TaskSetStatus::Primary)).collect();
    }
    service.controller = to;
}
