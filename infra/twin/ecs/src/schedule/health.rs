//! What a service thinks of each task: container health, target health and the grace period put together.

use std::{collections::HashMap, net::Ipv4Addr, sync::Arc, time::Duration};

use twin_platform::seam::TargetHealth;

use super::plan::Health;
use crate::{
    core::Core,
    state::{Service, ServiceKey, Status, TargetOf, Task},
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

/// A judgement and, when it is bad, why: an event for people and the reason for stopping the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) health: Health,
    pub(super) event: String,
    pub(super) reason: String,
}

impl Judgement {
    fn plain(health: Health) -> Self {
        Self { health, event: String::new(), reason: String::new() }
    }
}

pub(super) fn judge(service: &Service, task: &Task, targets: &TargetHealths, grace: Duration) -> Judgement {
    let Some(since) = task.running_since.filter(|_| task.status == Status::Running) else {
        return Judgement::plain(Health::Waiting);
    };
    let in_grace = since.elapsed() < grace;
    let checked = task.definition.container.health_check.is_some();
    if task.container.health == "UNHEALTHY" {
        if in_grace {
            return Judgement::plain(Health::Waiting);
        }
        return Judgement {
            health: Health::Bad,
            event: format!("(task {}) failed container health checks.", task.id),
            reason: "Task failed container health checks".into(),
        };
    }
    let mut waiting = checked && task.container.health != "HEALTHY";
    for target in &service.targets {
        let arn = &target.target_group_arn;
        let known = targets.get(&(task.id.clone(), arn.clone()));
        match known.map(|health| health.state) {
            // `unused`: no listener sends anything to the group, so there is nothing to wait for.
            Some("healthy" | "unused") => {}
            Some("unhealthy") if !in_grace => {
                let why = known.and_then(|health| health.description.as_deref()).unwrap_or("Health checks failed");
                return Judgement {
                    health: Health::Bad,
                    event: format!(
                        "(port {}) is unhealthy in (target-group {arn}) due to (reason {why}).",
                        target.container_port
                    ),
                    reason: format!("Task failed ELB health checks in (target-group {arn})"),
                };
            }
            _ => waiting = true,
        }
    }
    Judgement::plain(if waiting { Health::Waiting } else { Health::Good })
}
