//! Stopping a running container: drain, SIGTERM, stop time-out, SIGKILL.

use std::{sync::Arc, time::Duration};

use nix::sys::signal::Signal;

use super::{Exit, Running, note_stop, step, targets};
use crate::{
    core::Core,
    state::{Happening, Order, Status, Stop},
};

/// `stopTimeout` when the task definition gives none ("Container definitions" in the ECS developer guide).
const STOP_TIMEOUT_DEFAULT_S: i32 = 30;
/// A scaled time-out below this would kill a process that ends in good order on a busy laptop.
const STOP_TIMEOUT_FLOOR: Duration = Duration::from_secs(2);
/// When the twin itself ends, nobody waits for a drain.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest deregistration delay that ELB takes.
const DRAIN_MAX_S: f64 = 3600.0;

/// ECS deregisters the task and waits for the drain to finish before it sends SIGTERM, so no request is cut off.
pub(super) async fn stop(core: &Arc<Core>, order: &Order, running: &mut Running) -> Exit {
    step(core, order, |task| {
        let reason = "The twin is shutting down".to_owned();
        note_stop(task, Some(Stop { code: "UserInitiated", reason }));
        task.status = Status::Deactivating;
    });
    let drain = async {
        targets::deregister(core, order).await;
        let bound = core.settings.speed.wait(DRAIN_MAX_S);
        if tokio::time::timeout(bound, targets::drained(core, order)).await.is_err() {
            tracing::warn!(task = order.id, "the target is still draining; the task is stopped all the same");
        }
    };
    let gone = tokio::select! {
        status = running.child.wait() => Some(Exit::of(status)),
        () = drain => None,
        () = core.closing.cancelled() => None,
    };
    step(core, order, |task| task.status = Status::Stopping);
    if let Some(exit) = gone {
        return exit;
    }
    if order.service.is_some() && !core.closing.is_cancelled() {
        targets::note(core, order, Happening::Stopped);
    }
    running.signal(Signal::SIGTERM);
    let seconds = order.container.stop_timeout.unwrap_or(STOP_TIMEOUT_DEFAULT_S);
    let patience = core.settings.speed.wait(f64::from(seconds)).max(STOP_TIMEOUT_FLOOR);
    let impatience = async {
        core.closing.cancelled().await;
        tokio::time::sleep(CLOSING_TIMEOUT).await;
    };
    tokio::select! {
        status = running.child.wait() => Exit::of(status),
        () = tokio::time::sleep(patience) => killed(running).await,
        () = impatience => killed(running).await,
    }
}

async fn killed(running: &mut Running) -> Exit {
    running.kill();
    Exit::of(running.child.wait().await)
}
