//! Whom a value hits: the routes of the service, and the tasks that run now.
//!
//! A task decides by a hash of its own id, because it cannot know the others; so a share of few tasks is a coin for each. Who
//! writes the value does know them, and chooses a seed with which the share comes true.

use contract::{
    failure::{Fault, Plan, Tasks},
    names::route,
};
use reset::observe::Task;
use serde_json::{Value, json};

/// Seeds that are tried: with ten tasks one in a thousand misses no seed of the right number.
const SEEDS: u64 = 10_000;
/// Fewer characters of an id are no name.
const SHORTEST_ID: usize = 4;

/// A line for each fault that no request can meet.
pub(super) fn unreached(plan: &Plan) -> Vec<String> {
    let routes = || route::BUSINESS.into_iter().chain([route::HEALTHZ]);
    let line = |fault: &Fault| {
        let prefix = fault.request.as_ref()?.path.as_deref()?;
        let mode = fault.mode.name();
        let reached: Vec<&str> = routes().filter(|route| mode.reaches(route)).collect();
        let mode = mode.as_str();
        (!reached.iter().any(|route| route.starts_with(prefix))).then(|| {
            format!("warning: no route that {mode} reaches starts with {prefix}; it reaches {}", reached.join(" "))
        })
    };
    plan.faults().iter().filter_map(line).collect()
}

/// The value with a share that comes true and ids that are whole, and a line for each thing that was changed; none when it is
/// right as it is.
pub(super) fn settle(value: &str, plan: &Plan, tasks: &[Task]) -> Option<(String, Vec<String>)> {
    let mut document: Value = serde_json::from_str(value).ok()?;
    let mut lines = Vec::new();
    for fault in plan.faults() {
        let mode = fault.mode.name().as_str();
        let Some(entry) = entry(&mut document, mode) else { continue };
        match &fault.tasks {
            Some(Tasks::Percent(percent)) if fault.seed.is_none() => {
                if let Some((seed, wanted)) = seed(fault, *percent, tasks) {
                    entry["seed"] = seed.into();
                    lines.push(format!(
                        "{percent}% of the {} tasks that run now is {wanted}; seed {seed} in the value makes it so",
                        tasks.len()
                    ));
                }
            }
            Some(Tasks::Ids(ids)) => {
                let whole: Vec<&str> = ids.iter().map(|id| whole(id, tasks)).collect();
                if whole != *ids {
                    entry["tasks"] = json!({ "ids": whole });
                }
            }
            _ => {}
        }
    }
    let settled = document.to_string();
    (Plan::parse(&settled).is_ok_and(|settled| settled != *plan)).then_some((settled, lines))
}

fn entry<'document>(document: &'document mut Value, mode: &str) -> Option<&'document mut Value> {
    match document {
        Value::Array(entries) => entries.iter_mut().find(|entry| entry["mode"] == mode),
        Value::Object(_) => Some(document),
        _ => None,
    }
}

/// A seed with which the rounded share of these tasks is hit, and that number; none when it is hit anyway.
fn seed(fault: &Fault, percent: f64, tasks: &[Task]) -> Option<(u64, usize)> {
    if tasks.is_empty() || percent <= 0.0 || percent >= 100.0 {
        return None;
    }
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few tasks, and a share of them"
    )]
    // A share of something is at least one.
    let wanted = ((percent / 100.0 * tasks.len() as f64).round() as usize).max(1);
    let mut tried = fault.clone();
    let mut comes_true = |seed: Option<u64>| {
        tried.seed = seed;
        hit(&tried, tasks).len() == wanted
    };
    if comes_true(None) {
        return None;
    }
    (1..=SEEDS).find(|seed| comes_true(Some(*seed))).map(|seed| (seed, wanted))
}

/// The one task whose id begins so, as `status` shows it; else the word as it is.
fn whole<'name>(id: &'name str, tasks: &'name [Task]) -> &'name str {
    let mut begun = tasks.iter().filter(|task| id.len() >= SHORTEST_ID && task.id.starts_with(id));
    match (begun.next(), begun.next()) {
        (Some(task), None) => &task.id,
        _ => id,
    }
}

fn hit<'task>(fault: &Fault, tasks: &'task [Task]) -> Vec<&'task str> {
    let hit = tasks.iter().filter(|task| fault.hits_task(&task.id, &task.availability_zone));
    hit.map(|task| task.id.as_str()).collect()
}

/// A line for each fault that chooses tasks; a choice that hits none is the likeliest slip.
pub(super) fn told(plan: &Plan, tasks: &[Task]) -> Vec<String> {
    let chosen = plan.faults().iter().filter(|fault| fault.tasks.is_some());
    let line = |fault: &Fault| {
        let mode = fault.mode.name().as_str();
        match hit(fault, tasks).as_slice() {
            [] => format!("warning: {mode} hits none of the {} tasks that run now", tasks.len()),
            hit => format!("{mode} hits {} of the {} tasks that run now: {}", hit.len(), tasks.len(), hit.join(" ")),
        }
    };
    chosen.map(line).collect()
}

/// Whether no task that runs now changes its behaviour.
pub(super) fn hits_nobody(plan: &Plan, tasks: &[Task]) -> bool {
    plan.faults().iter().all(|fault| hit(fault, tasks).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(ids: &[&str]) -> Vec<Task> {
        let task = |id: &&str| Task {
            id: (*id).to_owned(),
            arn: String::new(),
            task_definition: String::new(),
            last_status: "RUNNING".into(),
            desired_status: "RUNNING".into(),
            health: "HEALTHY".into(),
            private_ipv4: None,
            availability_zone: "us-west-2a".into(),
            started_at: None,
        };
        ids.iter().map(task).collect()
    }

    fn plan(value: &str) -> Plan {
        Plan::parse(value).unwrap_or_else(|error| panic!("{value}: {error}"))
    }

    #[test]
    fn a_share_hits_its_rounded_number_of_tasks() {
        for number in 1..=10_usize {
            let ids: Vec<String> = (0..number).map(|n| format!("task-{n}-of-{number}")).collect();
            let tasks = tasks(&ids.iter().map(String::as_str).collect::<Vec<_>>());
            for (percent, wanted) in [(50, number.div_ceil(2)), (1, 1), (100, number), (0, 0)] {
                let value = format!(r#"{{"mode":"hang","tasks":{{"percent":{percent}}}}}"#);
                let (settled, _) = settle(&value, &plan(&value), &tasks).unwrap_or((value, Vec::new()));
                let hits = hit(&plan(&settled).faults()[0], &tasks).len();
                assert_eq!(hits, wanted, "{percent}% of {number}: {settled}");
            }
        }
    }

    #[test]
    fn a_seed_that_was_given_and_a_value_that_is_right_stay() {
        let tasks = tasks(&["a", "b"]);
        let values = ["hang", r#"{"mode":"hang","tasks":{"percent":50},"seed":3}"#, r#"{"mode":"hang","seed":1}"#];
        for value in values {
            assert_eq!(settle(value, &plan(value), &tasks), None, "{value}");
        }
        let list = r#"[{"mode":"crash"},{"mode":"hang","tasks":{"percent":100}}]"#;
        assert_eq!(settle(list, &plan(list), &tasks), None);
    }

    #[test]
    fn the_id_that_status_shows_is_made_whole() {
        let tasks = tasks(&["0123456789ab", "0123ffffffff"]);
        let value = r#"[{"mode":"crash"},{"mode":"hang","tasks":{"ids":["01234567","0123","gone"]}}]"#;
        let (settled, lines) = settle(value, &plan(value), &tasks).expect("one is short");
        assert_eq!(settled, value.replace("01234567", "0123456789ab"));
        assert!(lines.is_empty());
    }

    #[test]
    fn a_path_without_a_route_is_told() {
        let lines = |value: &str| unreached(&plan(value));
        for fine in
            ["hang", r#"{"mode":"hang","match":{"path":"/wo"}}"#, r#"{"mode":"unhealthy","match":{"path":"/h"}}"#]
        {
            assert_eq!(lines(fine), Vec::<String>::new());
        }
        assert_eq!(
            lines(r#"{"mode":"latency","match":{"path":"/wrok"}}"#),
            ["warning: no route that latency reaches starts with /wrok; it reaches / /work /db"]
        );
        assert_eq!(
            lines(r#"{"mode":"slow_query","match":{"path":"/work"}}"#),
            ["warning: no route that slow_query reaches starts with /work; it reaches /db"]
        );
    }
}
