//! CPU and memory limits of tasks: by control groups (version 2 or 1) where a hierarchy can be written, else by watching.
//!
//! Each task has a group `breakfix/<twin's pid>.<start time>-<task>`. The twin's identity is in the name so that a later twin
//! can tell what a killed one left behind from what another living one owns.

mod group;

use std::time::Duration;

use group::Hierarchy;
pub(crate) use group::{TaskGroup, enter};
use twin_platform::usage::resident_bytes;

/// How limits are held on this machine.
pub(crate) struct Limiter {
    hierarchy: Option<Hierarchy>,
}

impl Limiter {
    /// Looks for a writable hierarchy and sweeps what killed twins left in it.
    pub(crate) fn detect() -> Self {
        let hierarchy = Hierarchy::detect();
        if let Some(hierarchy) = &hierarchy {
            hierarchy.sweep();
        }
        Self { hierarchy }
    }

    pub(crate) fn description(&self) -> &'static str {
        match &self.hierarchy {
            Some(hierarchy) => hierarchy.description(),
            None => {
                "memory by watching resident size (SIGKILL above the limit), CPU not limited: no control group can be written"
            }
        }
    }

    /// A group for one task, or none when only watching is possible (or the group could not be made, which is logged).
    pub(crate) fn group(&self, task: &str, cpu_units: u32, memory_mib: u32) -> Option<TaskGroup> {
        let hierarchy = self.hierarchy.as_ref()?;
        match hierarchy.make(task, cpu_units, memory_mib) {
            Ok(group) => Some(group),
            Err(error) => {
                tracing::warn!(%error, task, "no control group for this task; its memory is watched instead");
                None
            }
        }
    }
}

/// Becomes ready when the process's resident memory is above the limit. For machines without control groups.
pub(crate) async fn above_memory_limit(pid: Option<u32>, memory_mib: u32) {
    let limit = u64::from(memory_mib) * 1024 * 1024;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if pid.and_then(resident_bytes).is_some_and(|bytes| bytes > limit) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_above_its_limit_is_noticed_and_one_below_is_not() {
        let own = Some(std::process::id());
        let patience = Duration::from_secs(5);
        tokio::time::timeout(patience, above_memory_limit(own, 0)).await.expect("this process holds some memory");
        let short = Duration::from_millis(250);
        assert!(tokio::time::timeout(short, above_memory_limit(own, 1 << 20)).await.is_err());
    }
}
