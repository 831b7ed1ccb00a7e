//! The course of deployments: completion, failure, rollback, steady state, and the end of a deleted service.

use std::{collections::HashMap, time::Instant};

use twin_platform::Speed;

use super::{breaker, health::Judgement, plan::Health};
use crate::state::{
    Course, Deployment, DesiredStatus, Rollback, Rollout, Service, ServiceStatus, Stage, State, Status, epoch_s,
};

/// Minutes that a rolling deployment with alarms is watched after its last task is healthy, unless `bakeTimeInMinutes` says so.
/// AWS computes them from the alarms and does not tell how.
const WATCH_MINUTES: u32 = 1;

/// Why a deployment failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Breaker,
    Alarms(Vec<String>),
    /// By hand, with StopServiceDeployment.
    Request,
    /// Listener rules are not as they must be.
    Traffic(String),
}

impl Cause {
    /// Who says so, and what: `rolloutStateReason` has both, the event the latter.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Breaker => ("ECS deployment circuit breaker", "tasks failed to start."),
            Self::Alarms(_) => ("ECS deployment alarms", "alarm detected."),
            Self::Request => ("ECS deployment stopped", "rollback requested."),
            Self::Traffic(_) => ("ECS deployment", "traffic could not be shifted."),
        }
    }

    /// After "Service deployment rolled back because ".
    fn reason(&self) -> String {
        match self {
            Self::Breaker => "the circuit breaker threshold was exceeded.".into(),
            Self::Alarms(names) => format!("alarms were triggered: {}.", names.join(", ")),
            Self::Request => "of a StopServiceDeployment request.".into(),
            Self::Traffic(reason) => reason.clone(),
        }
    }
}

/// Begins the deployment that is pending, and fails one that its breaker, an alarm or a caller says has failed.
pub(super) fn watch(service: &mut Service, alarms: &[String], speed: Speed) -> bool {
    let failed_tasks = service.deployments.first().map_or(0, |it| it.cohort.failed_tasks);
    let threshold = breaker::threshold(service.desired);
    let in_progress = service.deployments.first().is_some_and(|it| it.rollout == Rollout::InProgress);
    let Some(current) = service.current_mut() else { return false };
    let mut changed = false;
    if current.rollback.is_none() {
        current.failed_tasks = current.failed_tasks.max(failed_tasks);
        current.threshold = threshold;
    }
    if current.started_at.is_none() {
        current.started_at = Some(epoch_s());
        current.alarms_ignored = !alarms.is_empty();
        if current.course == Course::Pending {
            current.turn(Course::InProgress, None);
        }
        changed = true;
    }
    let cause = match current.course {
        Course::StopRequested => {
            let reason = "Service deployment stopped because of a StopServiceDeployment request.";
            current.turn(Course::Stopped, Some(reason.into()));
            // All stays as it is now: nothing more is started, and the older tasks are left alone.
            if let Some(primary) = service.deployments.first_mut() {
                primary.turn(Rollout::Failed, "ECS deployment stopped.".into());
            }
            return true;
        }
        Course::RollbackRequested => Cause::Request,
        _ if current.rollback.is_some() || !in_progress => return changed,
        _ if current.configuration.breaker.is_some() && failed_tasks >= threshold => {
            current.breaker_tripped = true;
            Cause::Breaker
        }
        _ if !alarms.is_empty() && !current.alarms_ignored => {
            current.alarms_triggered = alarms.to_vec();
            Cause::Alarms(alarms.to_vec())
        }
        _ => return changed,
    };
    fail(service, &cause, speed);
    true
}

/// Fails the deployment under way, and rolls back when asked to and able to.
pub(super) fn fail(service: &mut Service, cause: &Cause, speed: Speed) {
    let Some(current) = service.current() else { return };
    let asked = match cause {
        Cause::Breaker => current.configuration.breaker.is_some_and(|it| it.rollback),
        Cause::Alarms(_) => current.configuration.alarms.as_ref().is_some_and(|it| it.rollback),
        Cause::Request | Cause::Traffic(_) => true,
    };
    let proven = service.deployments.iter().skip(1).position(|it| it.proven).map(|index| index + 1);
    let (who, what) = cause.words();
    let mut failed = String::new();
    if let Some(primary) = service.deployments.first_mut() {
        failed.clone_from(&primary.cohort.id);
        primary.turn(Rollout::Failed, format!("{who}: {what}"));
    }
    service.tell(&format!("(deployment {failed}) deployment failed: {what}"));
    let Some(index) = proven.filter(|_| asked) else {
        if let Some(current) = service.current_mut() {
            let because = cause.reason();
            current.turn(Course::Stopped, Some(format!("Service deployment stopped because {because}")));
        }
        return;
    };
    let mut old = service.deployments.remove(index);
    let id = old.cohort.id.clone();
    old.wanted = true;
    old.turn(Rollout::InProgress, format!("{who}: rolling back to deploymentId {id}."));
    if let Some(current) = service.current_mut() {
        let reason = format!("Service deployment rolled back because {}", cause.reason());
        current.rollback = Some(Rollback { reason: reason.clone(), started_at: epoch_s(), to: id.clone() });
        current.turn(Course::RollbackInProgress, Some(reason));
        match current.stage {
            // No traffic has come to the new tasks yet.
            Some(stage) if stage < Stage::TestTrafficShift => current.enter(Stage::CleanUp),
            Some(_) => current.enter(Stage::ProductionTrafficShift),
            None => old.not_completed_before = Some(Instant::now() + breaker::rollback(speed)),
        }
    }
    service.deploy(old);
    let shifts_first = service.current().is_some_and(|it| it.stage == Some(Stage::ProductionTrafficShift));
    for deployment in service.deployments.iter_mut().skip(1).filter(|_| !shifts_first) {
        deployment.wanted = false;
    }
    service.tell(&format!("rolling back to deployment {id}."));
}

/// Completes deployments, drops those without tasks, tells of the steady state, ends a deleted service.
pub(super) fn settle(
    service: &mut Service,
    state: &State,
    judgements: &HashMap<String, Judgement>,
    speed: Speed,
) -> bool {
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
    let done = complete && old_finished && may_complete(service, speed);
    let mut changed = false;
    let primary = service.deployments.first_mut().filter(|it| done && it.rollout == Rollout::InProgress);
    if let Some(primary) = primary {
        let id = primary.cohort.id.clone();
        primary.turn(Rollout::Completed, format!("ECS deployment {id} completed."));
        service.deployments.truncate(1);
        if let Some(current) = service.current_mut() {
            let rolled_back = current.rollback.is_some();
            current.turn(if rolled_back { Course::RollbackSuccessful } else { Course::Successful }, None);
        }
        service.tell(&format!("(deployment {id}) deployment completed."));
        changed = true;
    } else if keep.contains(&false) {
        let mut keep = keep.into_iter();
        service.deployments.retain(|_| keep.next().unwrap_or(true));
        changed = true;
    }
    if done && !service.steady {
        service.steady = true;
        service.tell("has reached a steady state.");
        changed = true;
    } else if complete && old_finished && !done {
        changed |= begin_watch(service);
    }
    changed
}

/// Whether nothing but tasks is waited for.
fn may_complete(service: &Service, speed: Speed) -> bool {
    let Some(primary) = service.deployments.first() else { return false };
    if primary.not_completed_before.is_some_and(|at| Instant::now() < at) {
        return false;
    }
    let Some(current) = service.current() else { return true };
    match current.stage {
        Some(stage) => stage == Stage::CleanUp,
        None if current.rollback.is_some() => true,
        None => current.watched_since.map_or(watch_minutes(current) == 0, |since| {
            since.elapsed() >= speed.wait(60.0 * f64::from(watch_minutes(current)))
        }),
    }
}

/// A rolling deployment that is as wanted, but still watched.
fn begin_watch(service: &mut Service) -> bool {
    let Some(current) = service.current_mut().filter(|it| it.stage.is_none()) else { return false };
    if current.watched_since.is_some() {
        return false;
    }
    current.watched_since = Some(Instant::now());
    true
}

fn watch_minutes(current: &crate::state::ServiceDeployment) -> u32 {
    let watched = !current.configuration.watched().is_empty() && !current.alarms_ignored;
    current.configuration.bake_minutes.unwrap_or(if watched { WATCH_MINUTES } else { 0 })
}
