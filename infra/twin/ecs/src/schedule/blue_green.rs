//! The course of a deployment with two revisions side by side: the stages that the API names, one after the other.
//!
//! The old revision keeps all of its tasks until the bake time is over, so going back is a shift of traffic and nothing else.

use std::collections::HashMap;

use twin_platform::Speed;

use super::{health::Judgement, plan::Health, rollout, traffic::Errand};
use crate::state::{Course, DesiredStatus, Make, Service, ServiceKey, Stage, State, Status};

/// Moves on by what is seen. Answers whether anything changed, and what is to be done at the load balancers.
pub(super) fn advance(
    service: &mut Service,
    state: &State,
    judgements: &HashMap<String, Judgement>,
    speed: Speed,
) -> (bool, Option<Errand>) {
    let Some(current) = service.current().filter(|it| it.side_by_side()) else { return (false, None) };
    let Some(stage) = current.stage else { return (false, None) };
    let (rolling_back, waited, steps) = (current.rollback.is_some(), current.since.elapsed(), current.steps);
    let strategy = current.configuration.strategy;
    let bake = speed.wait(60.0 * f64::from(current.configuration.bake_minutes.unwrap_or(0)));
    let Some(green) = service.deployments.first().map(|it| it.cohort.make.clone()) else { return (false, None) };
    let blue = blue(service);
    if rolling_back {
        return match stage {
            // The older revision is PRIMARY again.
            Stage::ProductionTrafficShift => (false, Some(back(service, &green))),
            _ => (false, None),
        };
    }
    match stage {
        Stage::ReconcileService => reconcile(service, state, judgements),
        Stage::PreScaleUp => (false, Some(Errand::check(&green))),
        Stage::ScaleUp if is_whole(service, state, judgements, 0) => enter(service, Stage::PostScaleUp),
        Stage::PostScaleUp => enter(service, Stage::TestTrafficShift),
        Stage::TestTrafficShift => (false, Some(Errand::test(&green))),
        Stage::PostTestTrafficShift => enter(service, Stage::ProductionTrafficShift),
        Stage::ProductionTrafficShift => {
            let pause = steps.checked_sub(1).map(|made| strategy.share(made).1);
            match pause {
                Some(None) => enter(service, Stage::PostProductionTrafficShift),
                Some(Some(minutes)) if waited < speed.wait(60.0 * f64::from(minutes)) => (false, None),
                _ => (false, Some(Errand::production(&green, strategy.share(steps).0))),
            }
        }
        Stage::PostProductionTrafficShift => enter(service, Stage::BakeTime),
        Stage::BakeTime if blue.is_none() || waited >= bake => {
            let clean = enter(service, Stage::CleanUp);
            // From here on it is the one to go back to.
            for (index, deployment) in service.deployments.iter_mut().enumerate() {
                deployment.proven = index == 0;
                deployment.wanted = index == 0;
            }
            clean
        }
        _ => (false, None),
    }
}

fn enter(service: &mut Service, stage: Stage) -> (bool, Option<Errand>) {
    if let Some(current) = service.current_mut() {
        current.enter(stage);
    }
    (true, None)
}

/// An older deployment that did not come to its end goes first: traffic back to the proven one, then its tasks.
fn reconcile(service: &mut Service, state: &State, judgements: &HashMap<String, Judgement>) -> (bool, Option<Errand>) {
    let blue = blue(service);
    let leftovers: Vec<usize> = (1..service.deployments.len()).filter(|index| Some(*index) != blue).collect();
    if leftovers.is_empty() {
        return enter(service, Stage::PreScaleUp);
    }
    if leftovers.iter().any(|index| service.deployments[*index].wanted) {
        match blue {
            Some(index) if !is_whole(service, state, judgements, index) => return (false, None),
            Some(index) => {
                let make = service.deployments[index].cohort.make.clone();
                return (false, Some(back(service, &make)));
            }
            None => {
                dismiss(service);
                return (true, None);
            }
        }
    }
    let unfinished = |id: &String| {
        state.tasks_of(&service.key).any(|it| it.started_by.as_ref() == Some(id) && it.status != Status::Stopped)
    };
    let gone: Vec<String> = leftovers.iter().map(|index| service.deployments[*index].cohort.id.clone()).collect();
    if gone.iter().any(unfinished) {
        return (false, None);
    }
    service.deployments.retain(|it| !gone.contains(&it.cohort.id));
    (true, None)
}

/// Notes what came of an errand.
pub(super) fn report(state: &mut State, key: &ServiceKey, errand: &Errand, result: &Result<(), String>, speed: Speed) {
    let Some(service) = state.services.get_mut(key) else { return };
    let Some(current) = service.current_mut() else { return };
    let rolling_back = current.rollback.is_some();
    if let Err(reason) = result {
        if rolling_back {
            current.turn(Course::RollbackFailed, Some(format!("Service deployment rollback failed because {reason}")));
        } else {
            rollout::fail(service, &rollout::Cause::Traffic(reason.clone()), speed);
        }
        return;
    }
    match (current.stage, errand) {
        (Some(Stage::ProductionTrafficShift), _) if rolling_back => {
            (current.production_share, current.test_share) = (0.0, 0.0);
            current.enter(Stage::CleanUp);
            dismiss(service);
        }
        (Some(Stage::ReconcileService), _) => dismiss(service),
        (Some(Stage::PreScaleUp), _) => current.enter(Stage::ScaleUp),
        (Some(Stage::TestTrafficShift), Errand::Shift(shifts)) => {
            current.test_share = if shifts.is_empty() { 0.0 } else { 100.0 };
            current.enter(Stage::PostTestTrafficShift);
        }
        (Some(Stage::ProductionTrafficShift), _) => {
            current.production_share = current.configuration.strategy.share(current.steps).0;
            current.steps += 1;
            current.enter(Stage::ProductionTrafficShift);
        }
        _ => {}
    }
}

/// All traffic to the tasks of `make`, at the rules that the newest revision names.
fn back(service: &Service, make: &Make) -> Errand {
    let groups: Vec<String> = make.targets.iter().map(|it| it.target_group_arn.clone()).collect();
    let newest =
        service.current().and_then(|current| service.deployments.iter().find(|it| it.cohort.id == current.target));
    Errand::back(newest.map_or(make, |it| &it.cohort.make), &groups)
}

/// Only the first deployment and the proven one keep their tasks.
fn dismiss(service: &mut Service) {
    let blue = blue(service);
    for (index, deployment) in service.deployments.iter_mut().enumerate() {
        deployment.wanted = index == 0 || Some(index) == blue;
    }
}

/// The deployment that served before the first one.
fn blue(service: &Service) -> Option<usize> {
    service.deployments.iter().skip(1).position(|it| it.proven).map(|index| index + 1)
}

/// Whether the deployment at this place has all of its tasks, and all are healthy.
fn is_whole(service: &Service, state: &State, judgements: &HashMap<String, Judgement>, index: usize) -> bool {
    let Some(deployment) = service.deployments.get(index) else { return false };
    let id = &deployment.cohort.id;
    let live =
        |task: &&crate::state::Task| task.started_by.as_ref() == Some(id) && task.desired == DesiredStatus::Running;
    let good = |id: &String| judgements.get(id).is_some_and(|it| it.health == Health::Good);
    let tasks: Vec<_> = state.tasks_of(&service.key).filter(live).collect();
    tasks.len() == service.desired as usize && tasks.iter().all(|task| good(&task.id))
}
