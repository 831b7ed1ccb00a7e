//! A task definition that cannot start, and the revision to go back to.

use super::{Action, Step};
use crate::observe::{Observation, Service};

/// Goes back when the service deploys a revision none of whose tasks runs, and either its tasks fail before they start
/// (no such image, no such secret), or it has failed although nothing is broken on purpose.
pub(super) fn step(seen: &Observation) -> Option<Step> {
    let service = seen.service.known()?;
    let held = service.task_definition.as_str();
    let tasks = seen.tasks.known()?;
    if tasks.iter().any(|task| task.task_definition == held && task.is_running()) {
        return None;
    }
    let why = failure(seen, service)?;
    let to = last_that_ran(seen, service)?;
    let action = Action::RollBack { task_definition: to.to_owned() };
    Some(Step::new(action, "task definition", short(held), short(to), why))
}

fn failure(seen: &Observation, service: &Service) -> Option<String> {
    let held = service.task_definition.as_str();
    let stopped = seen.stopped_tasks.known().map(Vec::as_slice).unwrap_or_default();
    let of_held = || stopped.iter().filter(|task| task.task_definition == held);
    // A revision that ever ran can run again: its tasks stop for another reason, which has a step of its own.
    let has_run = of_held().any(|task| task.has_run);
    if let Some(task) = of_held().find(|task| task.stop_code.as_deref() == Some("TaskFailedToStart"))
        && !has_run
    {
        return Some(task.stopped_reason.clone().unwrap_or_else(|| "its tasks fail to start".to_owned()));
    }
    let primary = service.primary().filter(|primary| primary.task_definition == held && primary.running == 0)?;
    let rollout_failed = primary.rollout_state.as_deref() == Some("FAILED");
    // With a mode on, failing tasks accuse the mode and not the revision.
    let innocent_of_modes = seen.parameter.known().is_some_and(|parameter| parameter.is_none);
    let other_runs = service.deployments.iter().any(|other| other.task_definition != held && other.running > 0);
    ((rollout_failed && innocent_of_modes) || (primary.failed > 0 && innocent_of_modes && other_runs)).then(|| {
        primary.rollout_reason.clone().unwrap_or_else(|| format!("{} of its tasks failed to start", primary.failed))
    })
}

/// The revision that runs in another deployment, else in another task, else ran lately, else the one before.
fn last_that_ran<'seen>(seen: &'seen Observation, service: &'seen Service) -> Option<&'seen str> {
    let held = service.task_definition.as_str();
    let deployed = service.deployments.iter().filter(|other| other.running > 0).map(|other| &other.task_definition);
    let running =
        seen.tasks.known().into_iter().flatten().filter(|task| task.is_running()).map(|task| &task.task_definition);
    let ran = seen.stopped_tasks.known().into_iter().flatten().filter(|task| task.has_run);
    let before = service.revisions.iter().filter(|revision| number(revision) < number(held));
    deployed
        .chain(running)
        .chain(ran.map(|task| &task.task_definition))
        .chain(before)
        .map(String::as_str)
        .find(|other| *other != held)
}

fn number(task_definition: &str) -> Option<u64> {
    task_definition.rsplit_once(':')?.1.parse().ok()
}

/// `golden:3` of the whole ARN.
fn short(task_definition: &str) -> &str {
    task_definition.rsplit('/').next().unwrap_or(task_definition)
}
