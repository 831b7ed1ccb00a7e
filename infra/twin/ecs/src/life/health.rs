//! The container's own health check, run as a command inside the container's environment and limits.

use std::{collections::BTreeMap, process::Stdio, sync::Arc, time::Duration};

use nix::sys::signal::{Signal, killpg};
use tokio::{process::Command, time::Instant};
use twin_platform::Spawner;
use winterbaume_ecs::model::HealthCheck;

use super::{container::Doors, step};
use crate::{core::Core, limits, state::Order};

/// Within the start period Docker looks more often (its `start-interval`), so that a good start shows early.
const START_INTERVAL_S: i32 = 5;
/// A check is a process: on a busy laptop it must be given this long, whatever the speed.
const TIMEOUT_FLOOR: Duration = Duration::from_secs(1);

/// Checks for as long as the container lives; ready at once when the definition has no check.
pub(super) async fn check(core: &Arc<Core>, order: &Order, environment: &BTreeMap<String, String>, doors: &Doors) {
    let Some(check) = &order.container.health_check else { return };
    let wait = |seconds: i32| core.settings.speed.wait(f64::from(seconds));
    let interval = wait(check.interval.unwrap_or(30));
    let timeout =
        Duration::from_secs(check.timeout.unwrap_or(5).unsigned_abs().into()).min(interval.max(TIMEOUT_FLOOR));
    let start_ends = Instant::now() + wait(check.start_period.unwrap_or(0));
    let mut tally = Tally { retries: check.retries.unwrap_or(3).unsigned_abs(), failures: 0, health: "UNKNOWN" };
    loop {
        let starting = Instant::now() < start_ends && tally.health == "UNKNOWN";
        tokio::time::sleep(if starting { interval.min(wait(START_INTERVAL_S)) } else { interval }).await;
        let passed = probe(core, order, check, environment, doors, timeout).await;
        let before = tally.health;
        tally.count(passed, Instant::now() < start_ends);
        if tally.health != before {
            tracing::info!(task = order.id, health = tally.health, "container health changed");
            step(core, order, |task| task.container.health = tally.health);
        }
    }
}

/// Docker's rule: one success makes healthy; `retries` failures in a row make unhealthy, not counted within the start period.
struct Tally {
    retries: u32,
    failures: u32,
    health: &'static str,
}

impl Tally {
    fn count(&mut self, passed: bool, in_start_period: bool) {
        if passed {
            self.failures = 0;
            self.health = "HEALTHY";
        } else if !(in_start_period && self.health == "UNKNOWN") {
            self.failures += 1;
            if self.failures >= self.retries {
                self.health = "UNHEALTHY";
            }
        }
    }
}

async fn probe(
    core: &Core,
    order: &Order,
    check: &HealthCheck,
    environment: &BTreeMap<String, String>,
    doors: &Doors,
    timeout: Duration,
) -> bool {
    let Some(mut command) = command_of(&check.command) else { return false };
    command.env_clear().envs(environment).current_dir(&doors.folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match (doors.open)() {
        Ok(files) => limits::enter(&mut command, files),
        Err(_) => return false,
    }
    let name = format!("health check of task {}", order.id);
    let mut child = match core.settings.spawner.spawn(&name, command, Signal::SIGKILL).await {
        Ok(child) => child,
        Err(error) => {
            tracing::debug!(%error, task = order.id, "the health check's command cannot be started");
            return false;
        }
    };
    // When the task stops meanwhile, the child dies with its handle and the record goes with this.
    let record = Record { spawner: &core.settings.spawner, pid: child.id() };
    let passed = matches!(tokio::time::timeout(timeout, child.wait()).await, Ok(Ok(status)) if status.success());
    if let (false, Some(leader)) = (passed, record.pid.and_then(|pid| i32::try_from(pid).ok())) {
        // All of its processes: a shell's child would go on otherwise.
        let _ = killpg(nix::unistd::Pid::from_raw(leader), Signal::SIGKILL);
        let _ = child.wait().await;
    }
    passed
}

struct Record<'a> {
    spawner: &'a Spawner,
    pid: Option<u32>,
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            self.spawner.forget(pid);
        }
    }
}

/// `["CMD", program, …]`, `["CMD-SHELL", line]`; registration refuses anything else.
fn command_of(words: &[String]) -> Option<Command> {
    let (kind, rest) = words.split_first()?;
    if kind == "CMD-SHELL" {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").args(rest);
        return Some(command);
    }
    let rest = if kind == "CMD" { rest } else { words };
    let (program, arguments) = rest.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_count_in_a_row_and_after_the_start_period() {
        let mut tally = Tally { retries: 2, failures: 0, health: "UNKNOWN" };
        tally.count(false, true);
        tally.count(false, true);
        assert_eq!((tally.health, tally.failures), ("UNKNOWN", 0));
        tally.count(false, false);
        tally.count(true, false);
        assert_eq!(tally.health, "HEALTHY");
        tally.count(false, false);
        assert_eq!(tally.health, "HEALTHY");
        tally.count(false, false);
        assert_eq!(tally.health, "UNHEALTHY");
    }
}
