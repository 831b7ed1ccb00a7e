//! The observation as text for people: what is wanted above, each task with what it really does below.

use std::fmt::Display;

use contract::failure::{Fault, HIDDEN, Plan};
use reset::{
    Observation,
    observe::{Effective, Firewall, Login, LoginState, Parameter, Part, ServiceEvent, StoppedTask, Target, Task},
};
use time::OffsetDateTime;

/// Stopped tasks and events that are shown: the last ones tell the story, the rest is in `--json`.
const LAST: usize = 3;
/// A task that stopped longer ago belongs to another story.
const STORY: time::Duration = time::Duration::minutes(5);

/// Renders it, without colour and without a line feed at the end.
pub(crate) fn render(lab: &str, speed: Option<f64>, seen: &Observation) -> String {
    let speed = speed.map(|speed| format!(", waiting runs {speed}x")).unwrap_or_default();
    let mut lines = vec![
        format!("lab       {lab}{speed}"),
        line("mode", &seen.parameter, |parameter| mode(parameter, seen)),
        line("service", &seen.service, |service| {
            let rollout = service.primary().and_then(|deployment| deployment.rollout_state.as_deref());
            let rollout = match (rollout, &service.code_deploy) {
                (Some(rollout), _) => format!("rollout {rollout}"),
                (None, Some(id)) => format!("CodeDeploy's deployment {id} under way"),
                (None, None) if service.serving.by_turns => "no deployment under way".to_owned(),
                (None, None) => "rollout unknown".to_owned(),
            };
            let revision = service.task_definition.rsplit('/').next().unwrap_or_default();
            let pending = if service.pending > 0 { format!(", {} pending", service.pending) } else { String::new() };
            let (running, desired) = (service.running, service.desired);
            // In a deployment the old tasks run beside the new ones.
            let tasks = match running > desired {
                true => format!("{running} tasks run where {desired} should"),
                false => format!("{running} of {desired} tasks run"),
            };
            format!("{tasks}{pending}, {revision}, {rollout}")
        }),
        line("scaling", &seen.scaling, |scaling| match scaling {
            Some(scaling) if scaling.pressing.is_empty() => scaling.limits.to_string(),
            Some(scaling) => format!("{}, {} asks for more", scaling.limits, scaling.pressing.join(" and ")),
            None => "none".to_owned(),
        }),
        line("balancer", &seen.balancer, |balancer| balancer.url.clone()),
        line("firewall", &seen.firewall, firewall),
        line("database", &seen.database, |database| {
            let sessions = match &database.sessions {
                Part::Known(sessions) => {
                    format!(", {} of {} sessions, {} leaked", sessions.total, sessions.max_connections, sessions.leaked)
                }
                Part::Unknown { .. } => String::new(),
            };
            format!("{}, {}{sessions}", database.address, login(&database.login))
        }),
        line("secret", &seen.secret, |secret| {
            let version = secret.current_version.as_deref().map_or("none", short);
            let unusable = secret.unusable.as_ref().map(|why| format!(", not usable: {why}")).unwrap_or_default();
            format!("{} version {version}{unusable}", secret.name)
        }),
        String::new(),
    ];
    lines.extend(tasks(seen));
    if let Part::Known(stopped) = &seen.stopped_tasks {
        let recent = |task: &&StoppedTask| task.stopped_at.is_none_or(|at| seen.observed_at - at <= STORY);
        for task in stopped.iter().filter(recent).take(LAST) {
            let code = task.exit_code.map(|code| format!(", exit {code}")).unwrap_or_default();
            let reason = task.stopped_reason.as_deref().unwrap_or_default();
            lines.push(format!("stopped   {} {} {reason}{code}", ago(task.stopped_at, seen), short(&task.id)));
        }
    }
    if let Part::Known(service) = &seen.service {
        let event = |event: &ServiceEvent| format!("event     {} {}", ago(event.at, seen), event.message);
        lines.extend(service.events.iter().take(LAST).map(event));
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn firewall(held: &Firewall) -> String {
    let differences = held.differences();
    if differences.is_empty() { "the lab's rules, which only count".to_owned() } else { differences.join(", ") }
}

fn login(login: &Login) -> String {
    let code = login.sqlstate.as_ref().map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default();
    let error = login.error.as_deref().unwrap_or("no reason given");
    match login.state {
        LoginState::Accepted => "log-in accepted".to_owned(),
        // Only who is in can count; from outside CloudWatch does.
        LoginState::Full => format!(
            "full: no session left for `status` itself{code}; outside, CloudWatch counts them: AWS/RDS DatabaseConnections"
        ),
        LoginState::Refused => format!("log-in refused: {error}{code}"),
        LoginState::Unreachable => format!("out of reach: {error}{code}"),
    }
}

fn line<T>(name: &str, part: &Part<T>, text: impl FnOnce(&T) -> String) -> String {
    let text = match part {
        Part::Known(part) => text(part),
        Part::Unknown { error } => format!("unknown: {error}"),
    };
    format!("{name:9} {text}")
}

/// How long before the look something was, in a column of its own.
fn ago(at: Option<OffsetDateTime>, seen: &Observation) -> String {
    let Some(at) = at else { return format!("{:>11}", "") };
    let seconds = (seen.observed_at - at).whole_seconds().max(0);
    let text = if seconds < 120 { format!("{seconds} s ago") } else { format!("{} min ago", seconds / 60) };
    format!("{text:>11}")
}

fn mode(parameter: &Parameter, seen: &Observation) -> String {
    let age = parameter.last_modified.map(|at| (seen.observed_at - at).whole_seconds().max(0));
    let age = age.map(|age| format!(", written {age} s ago")).unwrap_or_default();
    let refused = parameter.refused.as_ref().map(|why| format!("; refused, so none: {why}")).unwrap_or_default();
    format!("{} (version {}{age}){refused}", parameter.value, parameter.version)
}

fn tasks(seen: &Observation) -> Vec<String> {
    let Part::Known(tasks) = &seen.tasks else {
        return vec![line("tasks", &seen.tasks, |_| String::new())];
    };
    let none = Vec::new();
    let targets = seen.targets.known().unwrap_or(&none);
    let mut rows = vec![["TASK", "STATUS", "HEALTH", "TARGET", "APPLIES"].map(str::to_owned)];
    for task in tasks {
        let target = targets.iter().find(|target| task.private_ipv4.is_some_and(|ip| ip.to_string() == target.id));
        let effective = seen.effective.iter().find(|effective| effective.task == task.id);
        rows.push([
            short(&task.id).to_owned(),
            task.last_status.clone(),
            task.health.clone(),
            target.map_or_else(|| "not registered".to_owned(), health),
            effective.map_or_else(String::new, |effective| applies(effective, task, seen.parameter.known())),
        ]);
    }
    for target in targets {
        // Draining targets outlive their task on the balancer's list.
        if !tasks.iter().any(|task| task.private_ipv4.is_some_and(|ip| ip.to_string() == target.id)) {
            let address = format!("{}:{}", target.id, target.port);
            rows.push([address, "no task".into(), String::new(), health(target), String::new()]);
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    let columns = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ")
    };
    let mut lines: Vec<String> = rows.iter().map(columns).collect();
    if let Some(why) = seen.targets.reason() {
        lines.push(format!("targets   unknown: {why}"));
    }
    lines.push(String::new());
    lines
}

fn health(target: &Target) -> String {
    let reason = target.reason.as_deref().map(|reason| format!(" {reason}")).unwrap_or_default();
    format!("{}{reason}", target.state)
}

/// What the task really applies: its own word for the version, and what that version means for this task.
fn applies(effective: &Effective, task: &Task, desired: Option<&Parameter>) -> String {
    match (effective.version, desired) {
        // The application says 0 until it has read the parameter for the first time.
        (Some(0), _) => "none, no version read yet".into(),
        (None, _) => format!("unknown: {}", effective.error.as_deref().unwrap_or("no answer")),
        (Some(version), Some(desired)) if version == desired.version => {
            format!("{} (version {version})", meaning(desired, task))
        }
        (Some(version), Some(desired)) => format!("version {version}, behind {}", desired.version),
        (Some(version), None) => format!("version {version}, the parameter is unknown"),
    }
}

fn meaning(desired: &Parameter, task: &Task) -> String {
    if desired.value == HIDDEN {
        return HIDDEN.into();
    }
    let Ok(plan) = Plan::parse(&desired.value) else { return "none, value refused".into() };
    let hits = |fault: &&Fault| fault.hits_task(&task.id, &task.availability_zone);
    let names: Vec<&str> = plan.faults().iter().filter(hits).map(|fault| fault.mode.name().as_str()).collect();
    match (names.is_empty(), plan.is_none()) {
        (false, _) => names.join(" + "),
        (true, true) => "none".into(),
        (true, false) => "none, not chosen".into(),
    }
}

/// The first eight characters: enough to tell two apart, as git does.
fn short<T: AsRef<str> + Display + ?Sized>(id: &T) -> &str {
    let id = id.as_ref();
    id.char_indices().nth(8).map_or(id, |(end, _)| &id[..end])
}

#[cfg(test)]
pub(super) mod tests;
