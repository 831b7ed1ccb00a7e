//! The course of deployments: completion, failure, rollback, steady state, and the end of a deleted service.

use std::{collections::HashMap, time::Instant};

use twin_platform::Speed;

use super::{breaker, health::Judgement, plan::Health};
use crate::state::{Deployment, DesiredStatus, Rollout, Service, ServiceStatus, State, Status};

/// Fails a deployment whose tasks fail in a row, and rolls back when asked to and able to.
pub(super) fn trip_breaker(service: &mut Service, speed: Speed) -> bool {
    let Some(settings) = service.breaker else { return false };
    let threshold = breaker::threshold(service.desired);
    let Some(primary) = service.deployments.first_mut() else { return false };
    if primary.rollout != Rollout::InProgress || primary.cohort.failed_tasks < threshold {
        return false;
    }
    let failed = primary.cohort.id.clone();
    let proven = service.deployments.iter().skip(1).position(|it| it.proven).map(|index| index + 1);
    let rolls_back = settings.rollback && proven.is_some();
    let reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
    if let Some(primary) = service.deployments.first_mut() {
        primary.turn(Rollout::Failed, reason);
    }
    service.tell(&format!("(deployment {failed}) deployment failed: tasks failed to start."));
    if let (true, Some(index)) = (rolls_back, proven) {
        let mut old = service.deployments.remove(index);
        let id = old.cohort.id.clone();
        old.turn(Rollout::InProgress, format!("ECS deployment circuit breaker: rolling back to deploymentId {id}."));
        old.not_completed_before = Some(Instant::now() + breaker::rollback(speed));
        service.deploy(old);
        service.tell(&format!("rolling back to deployment {id}."));
    }
    true
}

/// Completes deployments, drops those without tasks, tells of the steady state, ends a deleted service.
pub(super) fn settle(service: &mut Service, state: &State, judgements: &HashMap<String, Judgement>) -> bool {
    let unfinished = |deployment: &Deployment| {
        state
            .tasks_of(&service.key)
            .any(|it| it.started_by.as_ref() == Some(&deployment.cohort.id) && it.status != Status::Stopped)
    };
    if service.status == ServiceStatus::Draining {
        if state.tasks_of(&service.key).any(|task| task.status != Status::Stopped) {
            return false;
        }
        service.status = ServiceStatus::Inactive;
        return true;
    }
    let Some(primary) = service.deployments.first() else { return false };
    let mut changed = false;
    let live = || state.tasks_of(&service.key).filter(|task| task.desired == DesiredStatus::Running);
    let all_good = live().all(|task| judgements.get(&task.id).is_some_and(|it| it.health == Health::Good));
    let primaries = live().filter(|task| task.started_by.as_ref() == Some(&primary.cohort.id)).count();
    let complete = all_good && primaries == service.desired as usize && live().count() == primaries;
    // While a rollout is under way the last proven deployment stays even without tasks: it is where a rollback goes, and
    // the failed one stays to say why.
    let under_way = primary.rollout != Rollout::Completed;
    let keep: Vec<bool> = service
        .deployments
        .iter()
        .enumerate()
        .map(|(index, it)| index == 0 || unfinished(it) || (under_way && (it.proven || it.rollout == Rollout::Failed)))
        .collect();
    let old_finished = !service.deployments.iter().skip(1).any(unfinished);
    let may_complete = primary.not_completed_before.is_none_or(|at| Instant::now() >= at);
    if complete && old_finished && may_complete && primary.rollout == Rollout::InProgress {
        let id = primary.cohort.id.clone();
        if let Some(primary) = service.deployments.first_mut() {
            primary.turn(Rollout::Completed, format!("ECS deployment {id} completed."));
        }
        service.deployments.truncate(1);
        service.tell(&format!("(deployment {id}) deployment completed."));
        changed = true;
    } else if keep.contains(&false) {
        let mut keep = keep.into_iter();
        service.deployments.retain(|_| keep.next().unwrap_or(true));
        changed = true;
    }
    if complete && old_finished && may_complete && !service.steady {
        service.steady = true;
        service.tell("has reached a steady state.");
        changed = true;
    }
    changed
}
