//! From what was seen to what must be done: a pure function, so that every drift can be tested without a lab.
//!
//! Promises: a healthy observation gives no step, and so does the observation that the steps would bring about.
//! Refuses: to plan on what was not seen, with one exception: a parameter that cannot be read is written.

mod rollback;
mod scaling;
mod step;

pub use step::{Action, Step};

use contract::failure::shown;

use crate::{
    observe::{Database, Firewall, HealthCheck, LoginState, Observation, RolePolicy, Secret, Service, Target, Task},
    wording,
};

/// An open transaction that has done nothing for this long is forgotten, not busy: the longest lock that a mode holds by
/// default is 5 s.
const FORGOTTEN_TRANSACTION_S: i64 = 10;

/// What must be done, in the order in which it must be done. The cause comes first: while the parameter still breaks the
/// application, no other repair holds.
pub fn plan(seen: &Observation, desired_count: i32) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(parameter(seen));
    steps.extend(seen.role_policies.known().into_iter().flatten().filter_map(role_policy));
    steps.extend(seen.firewall.known().and_then(firewall));
    steps.extend(seen.health_check.known().and_then(health_check));
    steps.extend(seen.service.known().and_then(deployment));
    steps.extend(rollback::step(seen));
    let scaling = seen.scaling.known().and_then(Option::as_ref);
    steps.extend(seen.service.known().and_then(|service| scaling::step(service, scaling, desired_count)));
    if let Some(secret) = seen.secret.known() {
        steps.extend(credentials(secret, seen.database.known()));
    }
    steps.extend(seen.database.known().and_then(sessions));
    steps.extend(tasks(seen, desired_count));
    steps
}

fn parameter(seen: &Observation) -> Option<Step> {
    let (from, why) = match seen.parameter.as_result() {
        Ok(parameter) if parameter.is_none => return None,
        Ok(parameter) => match &parameter.refused {
            Some(_) if parameter.is_blind => {
                (shown(&parameter.value).to_owned(), "the application refuses it".to_owned())
            }
            Some(refusal) => (parameter.value.clone(), format!("the application refuses it: {refusal}")),
            None => (shown(&parameter.value).to_owned(), "something is broken on purpose".to_owned()),
        },
        Err(error) => ("unknown".to_owned(), format!("it cannot be read: {error}")),
    };
    let name = seen.parameter.known().map_or("failure-mode parameter", |parameter| parameter.name.as_str());
    Some(Step::new(Action::SetParameter, name, from, "none", why))
}

fn role_policy(held: &RolePolicy) -> Option<Step> {
    let denying = (!held.denying.is_empty()).then(|| format!("denied by {}", held.denying.join(", ")));
    let from: Vec<String> = held.drift.iter().cloned().chain(denying).collect();
    (!from.is_empty()).then(|| {
        let why = "the tasks may not do what they need, or more than that";
        let what = format!("policy of role {}", held.role);
        Step::new(Action::RestoreRolePolicy(held.clone()), what, from.join(", "), "as shipped", why)
    })
}

fn health_check(held: &HealthCheck) -> Option<Step> {
    let wanted = HealthCheck::of_the_lab(&held.target_group_arn);
    let seconds = |seconds: i32| format!("{seconds} s");
    let (from, to): (Vec<_>, Vec<_>) = [
        ("enabled", held.enabled.to_string(), wanted.enabled.to_string()),
        ("path", held.path.clone(), wanted.path.clone()),
        ("port", held.port.clone(), wanted.port.clone()),
        ("interval", seconds(held.interval_s), seconds(wanted.interval_s)),
        ("timeout", seconds(held.timeout_s), seconds(wanted.timeout_s)),
        ("healthy threshold", held.healthy_threshold.to_string(), wanted.healthy_threshold.to_string()),
        ("unhealthy threshold", held.unhealthy_threshold.to_string(), wanted.unhealthy_threshold.to_string()),
        ("matcher", held.matcher.clone(), wanted.matcher.clone()),
    ]
    .into_iter()
    .filter(|(_, held, wanted)| held != wanted)
    .map(|(field, held, wanted)| (format!("{field} {held}"), format!("{field} {wanted}")))
    .unzip();
    (!from.is_empty()).then(|| {
        let why = "the balancer judges the targets by other rules than the lab's";
        Step::new(Action::RestoreHealthCheck(wanted), "target group health check", from.join(", "), to.join(", "), why)
    })
}

fn firewall(held: &Firewall) -> Option<Step> {
    let from = held.differences();
    (!from.is_empty()).then(|| {
        let why = "requests are judged by other rules than the lab's";
        let to = "the lab's rules, which only count";
        Step::new(Action::RestoreFirewall(held.clone()), "web ACL", from.join(", "), to, why)
    })
}

fn deployment(service: &Service) -> Option<Step> {
    service.code_deploy.as_ref().map(|id| {
        let action = Action::StopDeployment { id: id.clone() };
        let why = "traffic is between two versions of the service";
        Step::new(action, format!("deployment {id}"), "under way", "stopped and rolled back", why)
    })
}

fn credentials(secret: &Secret, database: Option<&Database>) -> Option<Step> {
    if secret.marked_deleted {
        let why = "it waits for its deletion, and nobody may read it until then";
        return Some(Step::new(
            Action::RestoreSecret,
            format!("secret {}", secret.name),
            "marked deleted",
            "restored",
            why,
        ));
    }
    let login = database.map(|database| &database.login);
    let why = match (&secret.unusable, login.map(|login| login.state)) {
        (Some(unusable), _) => unusable.clone(),
        (None, Some(LoginState::Refused | LoginState::Unreachable)) => {
            login.map_or_else(String::new, |login| login.reason())
        }
        (None, _) => return None,
    };
    let version = secret.current_version.as_deref().unwrap_or("no current version");
    let from = format!("version {version} does not log in");
    Some(Step::new(Action::RepairCredentials, "database credentials", from, "the current version logs in", why))
}

fn sessions(database: &Database) -> Option<Step> {
    let ended = "none leaked or forgotten";
    if database.login.state == LoginState::Full {
        let action = Action::EndSessions { forgotten: Vec::new() };
        return Some(Step::new(action, "database sessions", "none left", ended, database.login.reason()));
    }
    let sessions = database.sessions.known()?;
    let forgotten: Vec<i32> = sessions
        .idle_in_transaction
        .iter()
        .filter(|held| held.open_s >= FORGOTTEN_TRANSACTION_S)
        .map(|held| held.pid)
        .collect();
    if sessions.leaked == 0 && forgotten.is_empty() {
        return None;
    }
    let from = format!("{} leaked, {} forgotten in a transaction", sessions.leaked, forgotten.len());
    let why = format!("{} of {} sessions are taken", sessions.total, sessions.max_connections);
    Some(Step::new(Action::EndSessions { forgotten }, "database sessions", from, ended, why))
}

/// Tasks and targets mostly heal by themselves once the cause is gone; the step says that they are waited for.
fn tasks(seen: &Observation, desired_count: i32) -> Option<Step> {
    let service = seen.service.known()?;
    let tasks = seen.tasks.known()?;
    let running: Vec<_> = tasks.iter().filter(|task| task.is_running()).collect();
    let mut complaints = Vec::new();
    if service.running < service.desired {
        complaints.push(wording::running(service.running, service.desired));
    }
    if service.deployments.len() > 1 {
        complaints.push(format!("{} deployments are under way", service.deployments.len()));
    }
    for task in &running {
        let by_ecs = (task.health == "UNHEALTHY").then(|| "UNHEALTHY".to_owned());
        let by_balancer = seen.targets.known().and_then(|targets| at_the_balancer(task, targets));
        let verdicts: Vec<String> = by_ecs.into_iter().chain(by_balancer).collect();
        if !verdicts.is_empty() {
            complaints.push(format!("task {} is {}", wording::short_id(&task.id), verdicts.join(" and ")));
        }
    }
    (!complaints.is_empty()).then(|| {
        let to = format!("{desired_count} in service");
        let why = "waited for; a new deployment is forced when they do not heal by themselves";
        Step::new(Action::HealTasks, "tasks", complaints.join(", "), to, why)
    })
}

/// What the balancer has against a task.
fn at_the_balancer(task: &Task, targets: &[Target]) -> Option<String> {
    let address = task.private_ipv4.map(|address| address.to_string());
    match targets.iter().find(|target| Some(&target.id) == address.as_ref()) {
        Some(target) if target.state == "healthy" => None,
        Some(target) => Some(format!("{} at the balancer", target.state)),
        None => Some("not registered at the balancer".to_owned()),
    }
}

#[cfg(test)]
mod tests;
