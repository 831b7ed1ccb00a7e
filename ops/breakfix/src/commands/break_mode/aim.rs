//! Whom a value with `tasks` hits among those that run now.

use ::reset::{Clients, Names, observe::running_tasks};
use contract::failure::Plan;

use crate::output;

/// Says which of the running tasks are chosen, where the value chooses at all; a choice that hits none is the likeliest slip.
pub(super) async fn tell(clients: &Clients, names: &Names, plan: &Plan) {
    let chosen = plan.faults().iter().filter(|fault| fault.tasks.is_some());
    let mut chosen = chosen.peekable();
    if chosen.peek().is_none() {
        return;
    }
    // The value is written; not to know its tasks is no failure of the command.
    let tasks = match running_tasks(clients, names).await {
        Ok(tasks) => tasks,
        Err(error) => return output::say(format!("warning: whether a task is chosen is unknown: {error}")),
    };
    for fault in chosen {
        let mode = fault.mode.name().as_str();
        let hit: Vec<&str> = tasks
            .iter()
            .filter(|task| fault.hits_task(&task.id, &task.availability_zone))
            .map(|task| task.id.as_str())
            .collect();
        output::say(match hit.as_slice() {
            [] => format!("warning: {mode} hits none of the {} tasks that run now", tasks.len()),
            hit => format!("{mode} hits {} of the {} tasks that run now: {}", hit.len(), tasks.len(), hit.join(" ")),
        });
    }
}
