//! What must be true of a healthy lab, as one pure function over an observation.

use crate::{
    observe::{LoginState, Observation, Service, Target, Task},
    plan::{Action, plan},
    wording::{self, short_id},
};

/// The first condition that is not met, in one line; none when the lab looks healthy.
pub(crate) fn unmet(seen: &Observation, desired_count: i32) -> Option<String> {
    conditions(seen, desired_count).err()
}

fn conditions(seen: &Observation, desired_count: i32) -> Result<(), String> {
    let parameter = seen.parameter.as_result()?;
    ensure(parameter.is_none, || format!("parameter {} is not none", parameter.name))?;
    let service = seen.service.as_result()?;
    service_is_steady(service, desired_count)?;
    if let Some(scaling) = seen.scaling.as_result()? {
        let pressing = || format!("scaling policy {} still asks for more tasks", scaling.pressing.join(" and "));
        ensure(scaling.pressing.is_empty(), pressing)?;
    }
    let tasks: Vec<&Task> = seen.tasks.as_result()?.iter().filter(|task| task.is_running()).collect();
    let running = i32::try_from(tasks.len()).unwrap_or(i32::MAX);
    ensure(running == desired_count, || wording::running(running, desired_count))?;
    let targets = seen.targets.as_result()?;
    for task in &tasks {
        ensure(task.health != "UNHEALTHY", || format!("task {} is UNHEALTHY", short_id(&task.id)))?;
        applies(seen, task, parameter.version)?;
        is_in_service(task, targets)?;
    }
    // A target that is neither a running task nor leaving takes traffic that nobody answers.
    for target in targets {
        let leaving = matches!(target.state.as_str(), "draining" | "healthy");
        ensure(leaving, || format!("target {} is {}", target.id, words(target)))?;
    }
    let database = seen.database.as_result()?;
    ensure(database.login.state == LoginState::Accepted, || format!("database log-in: {}", database.login.reason()))?;
    let sessions = database.sessions.as_result()?;
    ensure(sessions.leaked == 0, || format!("{} database sessions are leaked", sessions.leaked))?;
    let secret = seen.secret.as_result()?;
    secret.unusable.clone().map_or(Ok(()), Err)?;
    seen.health_check.as_result()?;
    seen.firewall.as_result()?;
    seen.balancer.as_result()?;
    // Whatever else would be repaired is not healthy either.
    match plan(seen, desired_count).into_iter().find(|step| step.action != Action::HealTasks) {
        Some(step) => Err(step.to_string()),
        None => Ok(()),
    }
}

fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

fn service_is_steady(service: &Service, desired_count: i32) -> Result<(), String> {
    ensure(service.status == "ACTIVE", || format!("the service is {}", service.status))?;
    ensure(service.desired == desired_count, || format!("the service wants {}", wording::tasks(service.desired)))?;
    ensure(service.running == desired_count, || wording::running(service.running, desired_count))?;
    let verb = if service.pending == 1 { "is" } else { "are" };
    ensure(service.pending == 0, || format!("{} {verb} pending", wording::tasks(service.pending)))?;
    let others = service.deployments.len().saturating_sub(1);
    ensure(others == 0, || format!("{others} other deployment is still under way"))
}

fn applies(seen: &Observation, task: &Task, version: i64) -> Result<(), String> {
    let effective = seen.effective.iter().find(|effective| effective.task == task.id);
    match effective.and_then(|effective| effective.version) {
        // Not "at least": a parameter that was deleted and made anew counts from 1 again.
        Some(applied) if applied == version => Ok(()),
        Some(applied) => {
            Err(format!("task {} applies version {applied} of the parameter, not {version}", short_id(&task.id)))
        }
        None => {
            let why = effective.and_then(|effective| effective.error.as_deref()).unwrap_or("it was not asked");
            Err(format!("which version task {} applies is unknown: {why}", short_id(&task.id)))
        }
    }
}

fn is_in_service(task: &Task, targets: &[Target]) -> Result<(), String> {
    let address = task.private_ipv4.map(|address| address.to_string());
    let target = targets.iter().find(|target| Some(&target.id) == address.as_ref());
    match target {
        Some(target) if target.state == "healthy" => Ok(()),
        Some(target) => Err(format!("task {} is {} at the balancer", short_id(&task.id), words(target))),
        None => Err(format!("task {} is not registered at the balancer", short_id(&task.id))),
    }
}

fn words(target: &Target) -> String {
    match target.description.as_ref().or(target.reason.as_ref()) {
        Some(why) => format!("{} ({why})", target.state),
        None => target.state.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{observe::Part, sample};

    #[test]
    fn a_healthy_lab_meets_all() {
        assert_eq!(unmet(&sample::healthy(), 2), None);
    }

    #[test]
    fn a_leaving_target_does_not_matter_and_a_stray_one_does() {
        let mut seen = sample::healthy();
        sample::targets(&mut seen).push(sample::target("127.0.0.9", "draining"));
        assert_eq!(unmet(&seen, 2), None);
        sample::targets(&mut seen).push(sample::target("127.0.0.10", "unhealthy"));
        assert_eq!(unmet(&seen, 2).as_deref(), Some("target 127.0.0.10 is unhealthy"));
    }

    /// One spoiled thing, and the words that must appear for it.
    type Spoiled = (&'static str, fn(&mut Observation));

    #[test]
    fn each_spoiled_thing_is_named() {
        let spoiled: [Spoiled; 15] = [
            ("is not none", |seen| seen.parameter = Part::Known(sample::parameter("return_500"))),
            ("no answer", |seen| seen.parameter = Part::error("no answer")),
            ("the service is DRAINING", |seen| sample::service(seen).status = "DRAINING".into()),
            ("wants 1 task", |seen| sample::service(seen).desired = 1),
            ("1 of 2 tasks runs", |seen| sample::service(seen).running = 1),
            ("1 task is pending", |seen| sample::service(seen).pending = 1),
            ("other deployment", |seen| {
                let other = sample::service(seen).deployments[0].clone();
                sample::service(seen).deployments.push(other);
            }),
            ("policy golden-cpu still asks", |seen| sample::scaling(seen).pressing = vec!["golden-cpu".into()]),
            ("1 to 4 tasks -> 2 to 4 tasks", |seen| sample::scaling(seen).limits.minimum = 1),
            ("is UNHEALTHY", |seen| sample::tasks(seen)[1].health = "UNHEALTHY".into()),
            ("applies version 3 of the parameter, not 4", |seen| seen.effective[1].version = Some(3)),
            ("is unknown: it was not asked", |seen| seen.effective.clear()),
            ("task t2 is initial at the balancer", |seen| sample::targets(seen)[1].state = "initial".into()),
            ("task t2 is not registered", |seen| sample::targets(seen).truncate(1)),
            ("3 database sessions are leaked", |seen| sample::sessions(seen).leaked = 3),
        ];
        for (words, spoil) in spoiled {
            let mut seen = sample::healthy();
            spoil(&mut seen);
            let reason = unmet(&seen, 2).expect(words);
            assert!(reason.contains(words), "{reason} lacks {words}");
        }
    }
}
