//! What happens to single tasks and is told of a service in one event for all of them.
//!
//! Each task's life notes its own; the service's loop tells those that came together, as ECS does. Two tasks that start
//! side by side are "registered 2 targets", not the same sentence twice.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    Registered(String),
    Draining,
    Deregistered(String),
    Stopped,
}

/// A task to which something happened.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    /// The cohort that the task is of.
    pub(crate) cohort: String,
    pub(crate) task: String,
    pub(crate) happening: Happening,
}

/// The events in the order of the first note of each.
pub(crate) fn events(notes: Vec<Note>) -> Vec<(String, String)> {
    let mut groups: Vec<(String, Happening, Vec<String>)> = Vec::new();
    for Note { cohort, task, happening } in notes {
        match groups.iter_mut().find(|(of, kind, _)| *of == cohort && *kind == happening) {
            Some((.., tasks)) => tasks.push(task),
            None => groups.push((cohort, happening, vec![task])),
        }
    }
    let told = |(cohort, happening, tasks): (String, Happening, Vec<String>)| {
        let count = tasks.len();
        let message = match happening {
            Happening::Registered(group) => format!("registered {count} targets in (target-group {group})"),
            Happening::Draining => format!("has begun draining connections on {count} tasks."),
            Happening::Deregistered(group) => format!("deregistered {count} targets in (target-group {group})"),
            Happening::Stopped => {
                let list: Vec<String> = tasks.iter().map(|id| format!("(task {id})")).collect();
                format!("has stopped {count} running tasks: {}.", list.join(" "))
            }
        };
        (cohort, message)
    };
    groups.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_several_tasks_at_once_is_one_event() {
        let note = |cohort: &str, task: &str, happening| Note { cohort: cohort.into(), task: task.into(), happening };
        let group = || Happening::Registered("g".into());
        let notes = vec![
            note("a", "1", group()),
            note("a", "2", group()),
            note("b", "3", group()),
            note("a", "1", Happening::Stopped),
            note("a", "2", Happening::Stopped),
        ];
        let messages: Vec<String> = events(notes).into_iter().map(|(_, message)| message).collect();
        assert_eq!(
            messages,
            [
                "registered 2 targets in (target-group g)",
                "registered 1 targets in (target-group g)",
                "has stopped 2 running tasks: (task 1) (task 2).",
            ]
        );
    }
}
