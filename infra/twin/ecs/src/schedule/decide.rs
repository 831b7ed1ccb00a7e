//! One look at one service: note what ended, judge what runs, plan, and put the plan into the store.

use std::{collections::HashMap, time::Instant};

use super::{
    breaker,
    health::{Judgement, TargetHealths, judge},
    plan::{Action, Cause, Health, ServiceView, TaskView, plan},
    rollout,
    start::{Launch, launch},
};
use crate::{
    Settings,
    state::{DesiredStatus, Rollout, Service, ServiceKey, ServiceStatus, State, Status, Task},
};

/// What came of a look.
#[derive(Default)]
pub(super) struct Outcome {
    /// Tasks whose life is to begin.
    pub(super) started: Vec<String>,
    /// Whether the store changed.
    pub(super) changed: bool,
    /// The service is INACTIVE: nothing is left to tend.
    pub(super) gone: bool,
}

pub(super) fn decide(settings: &Settings, state: &mut State, key: &ServiceKey, targets: &TargetHealths) -> Outcome {
    // The service is taken out while its tasks are edited, and put back.
    let Some(mut service) = state.services.remove(key) else { return Outcome { gone: true, ..Outcome::default() } };
    let mut outcome = Outcome::default();
    if service.status == ServiceStatus::Inactive {
        outcome.gone = true;
    } else {
        outcome.changed |= note_ends(settings, &mut service, state);
        let judgements = judge_all(settings, &service, state, targets, &mut outcome);
        outcome.changed |= note_successes(&mut service, state, &judgements);
        outcome.changed |= tell_failures(&mut service, state, &judgements);
        outcome.changed |= rollout::trip_breaker(&mut service, settings.speed);
        act(settings, &mut service, state, &judgements, &mut outcome);
        outcome.changed |= rollout::settle(&mut service, state, &judgements);
    }
    state.services.insert(key.clone(), service);
    outcome
}

/// Counts tasks that ended without ever being healthy, and sets the pace of starts.
fn note_ends(settings: &Settings, service: &mut Service, state: &mut State) -> bool {
    let mut changed = false;
    let ended = |task: &&mut Task| task.service.as_ref() == Some(&service.key) && task.status == Status::Stopped;
    let ended: Vec<&mut Task> = state.tasks.values_mut().filter(ended).filter(|task| !task.accounted).collect();
    for task in ended {
        task.accounted = true;
        changed = true;
        let asked = task.stop.as_ref().map_or("", |stop| stop.code);
        let reason = task.stop.as_ref().map_or("", |stop| stop.reason.as_str());
        let failed_check = reason.starts_with("Task failed");
        if asked == "UserInitiated" || (asked == "ServiceSchedulerInitiated" && !failed_check) {
            continue;
        }
        if asked == "TaskFailedToStart" {
            service.tell(&format!("was unable to start a task: (task {}) (reason {reason}).", task.id));
        }
        if task.ever_good && !failed_check {
            service.hold(breaker::back_off(1, settings.speed));
            continue;
        }
        let of = task.started_by.clone();
        // A task that was healthy once and failed its checks later is not a failing start.
        if !task.ever_good {
            service.failures_in_row += 1;
            if let Some(deployment) = service.deployments.iter_mut().find(|it| Some(&it.id) == of.as_ref()) {
                deployment.failed_tasks += 1;
            }
        }
        let failures = service.failures_in_row;
        service.hold(breaker::back_off(failures, settings.speed));
        if failures == breaker::THROTTLED_FROM {
            service.tell("is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.");
        }
    }
    changed
}

fn judge_all(
    settings: &Settings,
    service: &Service,
    state: &State,
    targets: &TargetHealths,
    outcome: &mut Outcome,
) -> HashMap<String, Judgement> {
    let grace = settings.speed.wait(f64::from(service.grace_s.unwrap_or(0)));
    let live = state.tasks_of(&service.key).filter(|task| task.desired == DesiredStatus::Running);
    let judgements: HashMap<_, _> = live.map(|task| (task.id.clone(), judge(task, targets, grace))).collect();
    outcome.changed |= judgements
        .iter()
        .any(|(id, it)| it.health == Health::Good && state.tasks.get(id).is_some_and(|task| !task.ever_good));
    judgements
}

/// A healthy task ends a row of failures.
fn note_successes(service: &mut Service, state: &mut State, judgements: &HashMap<String, Judgement>) -> bool {
    let mut changed = false;
    for (id, _) in judgements.iter().filter(|(_, judgement)| judgement.health == Health::Good) {
        let Some(task) = state.tasks.get_mut(id) else { continue };
        if !std::mem::replace(&mut task.ever_good, true) {
            changed = true;
            service.failures_in_row = 0;
            service.not_before = None;
            let started_by = task.started_by.as_ref();
            if let Some(deployment) = service.deployments.iter_mut().find(|it| Some(&it.id) == started_by) {
                deployment.failed_tasks = 0;
            }
        }
    }
    changed
}

/// Tells once of each check that a task fails; the replacement may take a while after that.
fn tell_failures(service: &mut Service, state: &mut State, judgements: &HashMap<String, Judgement>) -> bool {
    let mut changed = false;
    for (id, judgement) in judgements {
        let Some(task) = state.tasks.get_mut(id) else { continue };
        for event in &judgement.events {
            if !task.told.contains(event) {
                task.told.push(event.clone());
                service.tell(event);
                changed = true;
            }
        }
    }
    changed
}

fn view(service: &Service, state: &State, judgements: &HashMap<String, Judgement>) -> ServiceView {
    let primary = service.deployments.first();
    let failed = primary.is_some_and(|it| it.rollout == Rollout::Failed);
    let live = state.tasks_of(&service.key).filter(|task| task.desired == DesiredStatus::Running);
    let held = service.not_before.is_some_and(|at| Instant::now() < at);
    ServiceView {
        desired: if service.status == ServiceStatus::Active { service.desired as usize } else { 0 },
        minimum_percent: service.minimum_percent as usize,
        maximum_percent: service.maximum_percent as usize,
        may_start: !held && !failed,
        failed,
        tasks: live
            .map(|task| TaskView {
                id: task.id.clone(),
                primary: primary.is_some_and(|it| task.started_by.as_ref() == Some(&it.id)),
                health: judgements.get(&task.id).map_or(Health::Waiting, |judgement| judgement.health),
            })
            .collect(),
    }
}

fn act(
    settings: &Settings,
    service: &mut Service,
    state: &mut State,
    judgements: &HashMap<String, Judgement>,
    outcome: &mut Outcome,
) {
    for action in plan(&view(service, state, judgements)) {
        outcome.changed = true;
        service.steady = false;
        match action {
            Action::Start(count) => start(settings, service, state, count, outcome),
            Action::Stop(id, cause) => {
                let deployment = service.deployments.first().map_or_else(String::new, |it| it.id.clone());
                let judgement = judgements.get(&id).filter(|it| it.health == Health::Bad);
                let reason = match (cause, judgement) {
                    (Cause::Unhealthy, Some(judgement)) => judgement.reason.clone(),
                    _ => format!("Scaling activity initiated by (deployment {deployment})"),
                };
                if let Some(task) = state.tasks.get_mut(&id) {
                    task.ask_to_stop("ServiceSchedulerInitiated", reason);
                }
            }
        }
    }
}

fn start(settings: &Settings, service: &mut Service, state: &mut State, count: usize, outcome: &mut Outcome) {
    let Some(primary) = service.deployments.first() else { return };
    let mut tags = Vec::new();
    match service.propagate_tags.as_deref() {
        Some("SERVICE") => tags.clone_from(&service.tags),
        Some("TASK_DEFINITION") => tags.clone_from(&primary.definition.tags),
        _ => {}
    }
    let ids: Vec<String> = (0..count)
        .map(|_| {
            let order = Launch {
                cluster: service.key.cluster.clone(),
                definition: primary.definition.clone(),
                service: Some(service.key.clone()),
                group: format!("service:{}", service.key.name),
                started_by: Some(primary.id.clone()),
                overrides: winterbaume_ecs::model::TaskOverride::default(),
                network: service.network.clone(),
                targets: service.targets.clone(),
                tags: tags.clone(),
            };
            launch(&settings.account, state, order)
        })
        .collect();
    let list: Vec<String> = ids.iter().map(|id| format!("(task {id})")).collect();
    service.tell(&format!("has started {count} tasks: {}.", list.join(" ")));
    outcome.started.extend(ids);
}
