//! One look at one service: note what ended, judge what runs, plan, and put the plan into the store.

use std::collections::HashMap;

use super::{
    blue_green, breaker,
    health::{Judgement, TargetHealths, judge},
    plan::{Action, Cause, Health, ServiceView, TaskView, plan},
    rollout,
    start::{Launch, launch},
    task_sets,
    traffic::Errand,
};
use crate::{
    Settings,
    state::{
        Cohort, Controller, Deployment, DesiredStatus, Rollout, Service, ServiceKey, ServiceStatus, Stage, State,
        Status, Task,
    },
};

/// What came of a look.
#[derive(Default)]
pub(super) struct Outcome {
    /// Tasks whose life is to begin.
    pub(super) started: Vec<String>,
    /// Whether the store changed.
    pub(super) changed: bool,
    /// What is to be done at the load balancers.
    pub(super) errand: Option<Errand>,
    /// The service is INACTIVE: nothing is left to tend.
    pub(super) gone: bool,
}

pub(super) fn decide(
    settings: &Settings,
    state: &mut State,
    key: &ServiceKey,
    (targets, alarms): (&TargetHealths, &[String]),
) -> Outcome {
    // The service is taken out while its tasks are edited, and put back.
    let Some(mut service) = state.services.remove(key) else { return Outcome { gone: true, ..Outcome::default() } };
    let mut outcome = Outcome::default();
    if service.status == ServiceStatus::Inactive {
        outcome.gone = true;
    } else {
        outcome.changed |= service.tell_notes();
        outcome.changed |= note_ends(settings, &mut service, state);
        let judgements = judge_all(settings, &service, state, targets, &mut outcome);
        outcome.changed |= note_successes(&mut service, state, &judgements);
        outcome.changed |= tell_failures(&mut service, state, &judgements);
        outcome.changed |= rollout::watch(&mut service, alarms, settings.speed);
        let (moved, errand) = blue_green::advance(&mut service, state, &judgements, settings.speed);
        outcome.changed |= moved;
        outcome.errand = errand;
        act(settings, &mut service, state, &judgements, &mut outcome);
        outcome.changed |= task_sets::settle(&mut service, state, &judgements);
        outcome.changed |= rollout::settle(&mut service, state, &judgements, settings.speed);
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
        let of = task.started_by.as_deref().unwrap_or_default();
        if asked == "TaskFailedToStart" {
            service.tell_of(of, &format!("was unable to start a task: (task {}) (reason {reason}).", task.id));
        }
        let Some(cohort) = service.cohort_mut(of) else { continue };
        if task.ever_good && !failed_check {
            cohort.hold(breaker::back_off(1, settings.speed));
            continue;
        }
        // A task that was healthy once and failed its checks later is not a failing start.
        if !task.ever_good {
            cohort.failures_in_row += 1;
            cohort.failed_tasks += 1;
        }
        let failures = cohort.failures_in_row;
        cohort.hold(breaker::back_off(failures, settings.speed));
        if failures == breaker::THROTTLED_FROM {
            service.tell_of(of, "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.");
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
            if let Some(cohort) = task.started_by.as_deref().and_then(|id| service.cohort_mut(id)) {
                cohort.forgive();
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
                service.tell_of(task.started_by.as_deref().unwrap_or_default(), event);
                changed = true;
            }
        }
    }
    changed
}

/// What is planned together: the cohort that starts tasks, and the tasks that make room for its own.
struct Crew {
    cohort: String,
    view: ServiceView,
}

/// A rolling deployment takes tasks from the older ones; task sets, and blue and green, stand side by side.
fn crews(service: &Service, state: &State, judgements: &HashMap<String, Judgement>) -> Vec<Crew> {
    let desired = if service.status == ServiceStatus::Active { service.desired } else { 0 };
    let live: Vec<&Task> = state.tasks_of(&service.key).filter(|task| task.desired == DesiredStatus::Running).collect();
    let view = |cohort: &Cohort, desired: u32, failed: bool, tasks: &mut dyn Iterator<Item = &&Task>| ServiceView {
        desired: desired as usize,
        minimum_percent: service.configuration.minimum_percent as usize,
        maximum_percent: service.configuration.maximum_percent as usize,
        may_start: !cohort.held() && !failed,
        failed,
        tasks: tasks
            .map(|task| TaskView {
                id: task.id.clone(),
                primary: task.started_by.as_ref() == Some(&cohort.id),
                health: judgements.get(&task.id).map_or(Health::Waiting, |judgement| judgement.health),
            })
            .collect(),
    };
    let alone = |cohort: &Cohort, desired: u32, failed: bool| {
        let mut own = live.iter().filter(|task| task.started_by.as_ref() == Some(&cohort.id));
        Crew { cohort: cohort.id.clone(), view: view(cohort, desired, failed, &mut own) }
    };
    let failed = |deployment: &Deployment| deployment.rollout == Rollout::Failed;
    let mut crews = Vec::new();
    if service.side_by_side() {
        for (index, it) in service.deployments.iter().enumerate() {
            let started = index > 0 || service.current().is_some_and(|it| it.stage >= Some(Stage::ScaleUp));
            let share = if started { service.wanted(index).min(desired) } else { 0 };
            crews.push(alone(&it.cohort, share, failed(it)));
        }
    } else if let Some(it) = service.deployments.first() {
        let view = view(&it.cohort, desired, failed(it), &mut live.iter());
        crews.push(Crew { cohort: it.cohort.id.clone(), view });
    }
    crews.extend(service.task_sets.iter().map(|set| alone(&set.cohort, set.desired(desired), false)));
    crews
}

fn act(
    settings: &Settings,
    service: &mut Service,
    state: &mut State,
    judgements: &HashMap<String, Judgement>,
    outcome: &mut Outcome,
) {
    for Crew { cohort, view } in crews(service, state, judgements) {
        for action in plan(&view) {
            outcome.changed = true;
            service.steady = false;
            match action {
                Action::Start(count) => start(settings, service, state, (&cohort, count), outcome),
                Action::Stop(id, cause) => {
                    let judgement = judgements.get(&id).filter(|it| it.health == Health::Bad);
                    let reason = match (cause, judgement) {
                        (Cause::Unhealthy, Some(judgement)) => judgement.reason.clone(),
                        _ if service.controller == Controller::Ecs => {
                            format!("Scaling activity initiated by (deployment {cohort})")
                        }
                        _ => format!("Scaling activity initiated by (taskSet {cohort})"),
                    };
                    if let Some(task) = state.tasks.get_mut(&id) {
                        task.ask_to_stop("ServiceSchedulerInitiated", reason);
                    }
                }
            }
        }
    }
}

fn start(
    settings: &Settings,
    service: &mut Service,
    state: &mut State,
    (id, count): (&str, usize),
    outcome: &mut Outcome,
) {
    let Some(make) = service.cohort_mut(id).map(|cohort| cohort.make.clone()) else { return };
    let mut tags = Vec::new();
    match service.propagate_tags.as_deref() {
        Some("SERVICE") => tags.clone_from(&service.tags),
        Some("TASK_DEFINITION") => tags.clone_from(&make.definition.tags),
        _ => {}
    }
    let ids: Vec<String> = (0..count)
        .map(|_| {
            let order = Launch {
                cluster: service.key.cluster.clone(),
                definition: make.definition.clone(),
                service: Some(service.key.clone()),
                group: format!("service:{}", service.key.name),
                started_by: Some(id.to_owned()),
                overrides: winterbaume_ecs::model::TaskOverride::default(),
                network: make.network.clone(),
                targets: make.targets.clone(),
                tags: tags.clone(),
            };
            launch(&settings.account, state, order)
        })
        .collect();
    let list: Vec<String> = ids.iter().map(|id| format!("(task {id})")).collect();
    service.tell_of(id, &format!("has started {count} tasks: {}.", list.join(" ")));
    outcome.started.extend(ids);
}
