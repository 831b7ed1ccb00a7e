//! One task's life: from PROVISIONING to STOPPED, each step when it really happens.

mod container;
mod exit;
mod health;
mod logs;
mod permission;
mod prepare;
mod stop;
mod targets;

use std::sync::Arc;

use crate::{
    core::Core,
    limits,
    state::{DesiredStatus, Order, Status, Stop, Task, epoch_s},
};
use container::Running;
use exit::Exit;
pub(crate) use permission::assumable;

const ESSENTIAL_EXITED: &str = "Essential container in task exited";

/// Sets a task going that is in the store as PROVISIONING.
pub(crate) fn begin(core: &Arc<Core>, id: &str) {
    if let Some(order) = core.read(|state| state.tasks.get(id).map(Task::order)) {
        core.tracker.spawn(live(core.clone(), order));
    }
}

async fn live(core: Arc<Core>, order: Order) {
    let prepared = tokio::select! {
        prepared = prepare::prepare(&core, &order) => prepared,
        () = order.stop_signal.cancelled() => Err(None),
        () = core.closing.cancelled() => Err(None),
    };
    let started = match prepared {
        Ok(prepared) => container::start(&core, &order, prepared).await.map_err(Some),
        Err(reason) => Err(reason),
    };
    let exit = match started {
        Ok(running) => Some(run(&core, &order, running).await),
        Err(reason) => {
            let stop = reason.map(|reason| Stop { code: "TaskFailedToStart", reason });
            step(&core, &order, |task| {
                // AWS gives a container that never ran the task's reason too.
                task.container.reason = stop.as_ref().map(|stop| stop.reason.clone());
                note_stop(task, stop);
            });
            None
        }
    };
    clear_up(&core, &order, exit).await;
}

/// The task runs; ends with how the container ended.
async fn run(core: &Arc<Core>, order: &Order, mut running: Running) -> Exit {
    tracing::info!(task = order.id, pid = running.pid, "task is running");
    let watched = async {
        match &running.group {
            Some(_) => std::future::pending().await,
            None => limits::above_memory_limit(running.pid, order.definition.memory_mib).await,
        }
    };
    let beside = async {
        tokio::join!(targets::register(core, order), health::check(core, order, &running.environment, &running.doors));
        std::future::pending::<()>().await;
    };
    let mut memory_exceeded = false;
    let by_itself = tokio::select! {
        status = running.child.wait() => Some(Exit::of(status)),
        () = order.stop_signal.cancelled() => None,
        () = core.closing.cancelled() => None,
        () = watched => { memory_exceeded = true; running.kill(); Some(Exit::of(running.child.wait().await)) }
        () = beside => None,
    };
    let mut exit = match by_itself {
        Some(exit) => {
            step(core, order, |task| {
                note_stop(task, Some(Stop { code: "EssentialContainerExited", reason: ESSENTIAL_EXITED.into() }));
                task.status = Status::Deactivating;
            });
            targets::deregister(core, order).await;
            exit
        }
        None => stop::stop(core, order, &mut running).await,
    };
    exit.out_of_memory = memory_exceeded || running.group.as_ref().is_some_and(|group| group.was_out_of_memory());
    running.end().await;
    exit
}

async fn clear_up(core: &Arc<Core>, order: &Order, exit: Option<Exit>) {
    step(core, order, |task| {
        task.status = Status::Deprovisioning;
        if let Some(exit) = &exit {
            task.container.exit_code = Some(exit.code);
            task.container.reason = exit.reason();
            task.times.execution_stopped = Some(epoch_s());
        }
    });
    let folder = core.settings.scratch.join(&order.id);
    // A failure mode may have filled it: removing can take a while.
    let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
    if let Ok(Err(error)) = removed
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, task = order.id, "a task's scratch folder could not be removed");
    }
    core.change(|state| {
        if let Some(task) = state.tasks.get_mut(&order.id) {
            note_stop(task, None);
            task.status = Status::Stopped;
            task.times.stopped = Some(epoch_s());
            task.stopped = Some(std::time::Instant::now());
            let reason = task.stop.as_ref().map_or("", |stop| stop.reason.as_str());
            tracing::info!(task = order.id, reason, exit_code = task.container.exit_code, "task has stopped");
        }
        state.forget_stopped();
    });
}

/// Edits this task in the store.
fn step(core: &Core, order: &Order, edit: impl FnOnce(&mut Task)) {
    core.change(|state| {
        if let Some(task) = state.tasks.get_mut(&order.id) {
            edit(task);
        }
    });
}

/// The task is on its way out. What was given as the reason before (a user's, the scheduler's) stays.
fn note_stop(task: &mut Task, stop: Option<Stop>) {
    task.desired = DesiredStatus::Stopped;
    task.times.stopping.get_or_insert_with(epoch_s);
    if task.stop.is_none() {
        task.stop = stop;
    }
}
