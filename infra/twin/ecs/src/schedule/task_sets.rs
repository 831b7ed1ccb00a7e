//! The course of task sets: whether each is steady, and the end of those that were deleted.

use std::collections::HashMap;

use super::{health::Judgement, plan::Health};
use crate::state::{DesiredStatus, Service, State, Status, TaskSetStatus};

/// Notes which task sets are steady, tells of it, and forgets deleted ones whose last task has stopped.
pub(super) fn settle(service: &mut Service, state: &State, judgements: &HashMap<String, Judgement>) -> bool {
    let mut changed = false;
    let mut settled = Vec::new();
    let wanted = service.desired;
    for set in &mut service.task_sets {
        let own = || state.tasks_of(&service.key).filter(|task| task.started_by.as_ref() == Some(&set.cohort.id));
        let live: Vec<_> = own().filter(|task| task.desired == DesiredStatus::Running).collect();
        let good = live.iter().all(|task| judgements.get(&task.id).is_some_and(|it| it.health == Health::Good));
        let steady = good && live.len() == set.desired(wanted) as usize && set.status != TaskSetStatus::Draining;
        if set.stabilise(steady) {
            changed = true;
            if steady {
                settled.push(set.cohort.id.clone());
            }
        }
    }
    for id in settled {
        service.tell_of(&id, "has reached a steady state.");
    }
    let before = service.task_sets.len();
    let unfinished = |id: &String| {
        state.tasks_of(&service.key).any(|it| it.started_by.as_ref() == Some(id) && it.status != Status::Stopped)
    };
    service.task_sets.retain(|set| set.status != TaskSetStatus::Draining || unfinished(&set.cohort.id));
    changed |= service.task_sets.len() != before;
    if service.controller != crate::state::Controller::Ecs {
        service.steady = service.task_sets.iter().all(|set| set.steady);
    }
    changed
}
