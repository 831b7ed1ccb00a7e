//! What the services use, for CloudWatch.

use std::{fs, path::Path};

use twin_platform::Usage;

use crate::state::{ServiceStatus, State, Status};

/// One service: counts as `DescribeServices` has them, and what its running tasks use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUsage {
    /// Cluster name.
    pub cluster: String,
    /// Service name.
    pub service: String,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks that run.
    pub running: u32,
    /// Tasks on their way.
    pub pending: u32,
    /// Deployments or task sets that still have tasks.
    pub deployments: u32,
    /// Running tasks whose process was found.
    pub tasks: Vec<TaskUsage>,
}

/// One running task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskUsage {
    /// Task id.
    pub id: String,
    /// CPU units of its definition; 1024 is one CPU.
    pub cpu_units: u32,
    /// Memory limit of its definition in MiB.
    pub memory_mib: u32,
    /// Since its start.
    pub usage: Usage,
    /// Bytes in its scratch folder.
    pub scratch_bytes: u64,
}

pub(crate) fn of_services(state: &State, scratch: &Path) -> Vec<ServiceUsage> {
    let services = state.services.iter().filter(|(_, service)| service.status == ServiceStatus::Active);
    let usage = services.map(|(key, service)| {
        let (mut running, mut pending, mut tasks) = (0, 0, Vec::new());
        for task in state.tasks_of(key) {
            match task.status {
                Status::Provisioning | Status::Pending | Status::Activating => pending += 1,
                Status::Running => running += 1,
                _ => continue,
            }
            tasks.extend(task.container.pid.and_then(Usage::of).map(|usage| TaskUsage {
                id: task.id.clone(),
                cpu_units: task.definition.cpu_units,
                memory_mib: task.definition.memory_mib,
                usage,
                scratch_bytes: size_of(&scratch.join(&task.id)),
            }));
        }
        ServiceUsage {
            cluster: key.cluster.clone(),
            service: key.name.clone(),
            desired: service.desired,
            running,
            pending,
            deployments: u32::try_from(service.deployments.len() + service.task_sets.len()).unwrap_or(u32::MAX),
            tasks,
        }
    });
    usage.collect()
}

/// Bytes of the files in a folder and below it. What vanishes meanwhile counts nothing.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_as_large_as_the_files_below_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("below")).expect("made");
        fs::write(folder.path().join("a"), [0; 10]).expect("written");
        fs::write(folder.path().join("below/b"), [0; 5]).expect("written");
        assert_eq!((size_of(folder.path()), size_of(&folder.path().join("none"))), (15, 0));
    }
}
