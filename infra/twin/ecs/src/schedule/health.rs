//! What a service thinks of each task: container health, target health and the grace period put together.

use std::{collections::HashMap, net::Ipv4Addr, sync::Arc, time::Duration};

use twin_platform::seam::TargetHealth;

use super::plan::Health;
use crate::{
    core::Core,
    state::{ServiceKey, Status, TargetOf, Task},
};

/// Health of each registered target: task id and target group.
pub(super) type TargetHealths = HashMap<(String, String), TargetHealth>;

/// Asks the target groups about every running task, with no lock held.
pub(super) async fn of_targets(core: &Arc<Core>, key: &ServiceKey) -> TargetHealths {
    let questions: Vec<(String, TargetOf, Ipv4Addr, u16)> = core.read(|state| {
        let running = state.tasks_of(key).filter(|task| task.status == Status::Running);
        let of = |task: &Task| {
            let place = task.place.clone();
            let ask = |target: &TargetOf| {
                let place = place.as_ref()?;
                Some((task.id.clone(), target.clone(), place.address, place.port(target.container_port)))
            };
            task.targets.iter().filter_map(ask).collect::<Vec<_>>()
        };
        running.flat_map(of).collect()
    });
    let mut healths = HashMap::new();
    for (id, target, address, port) in questions {
        if let Some(health) = core.targets.health(&target.target_group_arn, address, port).await {
            healths.insert((id, target.target_group_arn), health);
        }
    }
    healths
}

/// A judgement and, when it is bad, why: the events for people and the reason for stopping the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) health: Health,
    pub(super) events: Vec<String>,
    pub(super) reason: String,
}

impl Judgement {
    fn plain(health: Health) -> Self {
        Self { health, events: Vec::new(), reason: String::new() }
    }
}

/// What is registered for the task counts, which after an update can differ from what the service names now.
pub(super) fn judge(task: &Task, targets: &TargetHealths, grace: Duration) -> Judgement {
    let Some(since) = task.running_since.filter(|_| task.status == Status::Running) else {
        return Judgement::plain(Health::Waiting);
    };
    // The grace period holds for both kinds of checks: within it a failing task is one that is still starting.
    let in_grace = since.elapsed() < grace;
    let checked = task.definition.container.health_check.is_some();
    let mut waiting = checked && task.container.health != "HEALTHY";
    let mut bad = Judgement::plain(Health::Bad);
    if task.container.health == "UNHEALTHY" {
        bad.events.push(format!("(task {}) failed container health checks.", task.id));
        bad.reason = "Task failed container health checks".into();
    }
    for target in &task.targets {
        let arn = &target.target_group_arn;
        let known = targets.get(&(task.id.clone(), arn.clone()));
        match known.map(|health| health.state) {
            // `unused`: no listener sends anything to the group, so there is nothing to wait for.
            Some("healthy" | "unused") => {}
            Some("unhealthy") => {
                let why = known.and_then(|health| health.description.as_deref()).unwrap_or("Health checks failed");
                let port = target.container_port;
                bad.events.push(format!("(port {port}) is unhealthy in (target-group {arn}) due to (reason {why})."));
                if bad.reason.is_empty() {
                    bad.reason = format!("Task failed ELB health checks in (target-group {arn})");
                }
            }
            _ => waiting = true,
        }
    }
    match (bad.reason.is_empty(), in_grace) {
        (false, false) => bad,
        (false, true) => Judgement::plain(Health::Waiting),
        (true, _) => Judgement::plain(if waiting { Health::Waiting } else { Health::Good }),
    }
}
