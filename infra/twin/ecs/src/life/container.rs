//! The container's process.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::process::{Child, Command};
use twin_platform::Spawner;

use super::{logs::LogPump, prepare::Prepared, step};
use crate::{
    core::Core,
    limits::{TaskGroup, enter},
    state::{Order, Status, epoch_s},
};

/// A running container.
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) pid: Option<u32>,
    pub(super) group: Option<TaskGroup>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) doors: Doors,
    logs: Option<LogPump>,
    spawner: Spawner,
}

/// How a health check gets into the container: its group and its folder.
pub(super) struct Doors {
    pub(super) open: Box<dyn Fn() -> std::io::Result<Vec<std::fs::File>> + Send + Sync>,
    pub(super) folder: std::path::PathBuf,
}

/// # Errors
/// The stopped reason when the program cannot be started.
pub(super) async fn start(core: &Arc<Core>, order: &Order, prepared: Prepared) -> Result<Running, String> {
    let cannot = |error: std::io::Error| format!("CannotStartContainerError: {}: {error}", prepared.program.display());
    let mut command = command(order, &prepared);
    let memory_mib = order.definition.memory_mib;
    let hard_limit = order.container.memory.and_then(|mib| u32::try_from(mib).ok()).unwrap_or(memory_mib);
    let group = core.limiter.group(&order.id, order.definition.cpu_units, memory_mib.min(hard_limit));
    let paths = group.as_ref().map(TaskGroup::entrances).unwrap_or_default();
    let open = move || TaskGroup::open(&paths);
    enter(&mut command, open().map_err(cannot)?);
    let name = format!("task {}", order.id);
    let mut child = match core.settings.spawner.spawn(&name, command, Signal::SIGKILL).await {
        Ok(child) => child,
        Err(error) => {
            if let Some(group) = &group {
                group.remove();
            }
            return Err(cannot(error));
        }
    };
    let pid = child.id();
    let logs = prepared.destination.map(|destination| LogPump::start(core, order, destination, &mut child));
    step(core, order, |task| {
        task.status = Status::Running;
        task.times.started = Some(epoch_s());
        task.running_since = Some(Instant::now());
        task.container.pid = pid;
    });
    Ok(Running {
        child,
        pid,
        group,
        environment: prepared.environment,
        doors: Doors { open: Box::new(open), folder: prepared.folder },
        logs,
        spawner: core.settings.spawner.clone(),
    })
}

fn command(order: &Order, prepared: &Prepared) -> Command {
    let arguments = order.overrides.command.as_ref().or(order.container.command.as_ref());
    let arguments = arguments.map_or(&[][..], Vec::as_slice);
    let entry_point = order.container.entry_point.as_deref().unwrap_or_default();
    let mut command = match entry_point.split_first() {
        Some((program, first)) => {
            let mut command = Command::new(program);
            command.args(first);
            command
        }
        None => Command::new(&prepared.program),
    };
    let folder = order.container.working_directory.as_ref().map_or(prepared.folder.clone(), Into::into);
    command.args(arguments).env_clear().envs(&prepared.environment).current_dir(folder).stdin(Stdio::null());
    // Without a log driver Fargate keeps nothing of the output.
    let output = || if prepared.destination.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdout(output()).stderr(output());
    command
}

impl Running {
    /// Sends a signal to the container's first process, as a runtime does.
    pub(super) fn signal(&self, signal: Signal) {
        // The child is not waited for yet, so its pid cannot belong to anyone else.
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = nix::sys::signal::kill(Pid::from_raw(pid), signal);
        }
    }

    pub(super) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// Ends what the container's first process left behind, sees its last lines off, and removes its group.
    pub(super) async fn end(self) {
        if let Some(pid) = self.pid {
            // The group is ours: the spawner made the first process its leader, and its id stays taken while members live.
            if let Ok(leader) = i32::try_from(pid) {
                let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
            }
            self.spawner.forget(pid);
        }
        if let Some(group) = self.group
            && let Err(error) = tokio::task::spawn_blocking(move || group.remove()).await
        {
            tracing::warn!(%error, "a control group could not be removed");
        }
        if let Some(logs) = self.logs {
            logs.finish(Duration::from_secs(2)).await;
        }
    }
}
