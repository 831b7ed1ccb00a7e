//! Control groups, version 2 (one hierarchy) and version 1 (one per controller).

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{sys::signal, unistd::Pid};
use twin_platform::Identity;

/// The kernel's default; a quota is counted within it.
const PERIOD_US: u64 = 100_000;

/// A writable place for groups.
pub(super) enum Hierarchy {
    /// The folder of our groups, with the cpu controller or without.
    V2 { folder: PathBuf, cpu: bool },
    /// The folders of our groups under the memory and, if writable, the cpu controller.
    V1 { memory: PathBuf, cpu: Option<PathBuf> },
}

/// The control group of one task.
pub(crate) struct TaskGroup {
    folders: Vec<PathBuf>,
    /// The file that counts the kernel's out-of-memory kills.
    events: PathBuf,
}

impl Hierarchy {
    pub(super) fn detect() -> Option<Self> {
        Self::detect_v2().or_else(Self::detect_v1)
    }

    fn detect_v2() -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
        let root = Path::new("/sys/fs/cgroup");
        // A group with processes cannot have limited children (the "no internal processes" rule), so start at the parent.
        for folder in root.join(own).ancestors().skip(1).take_while(|it| it.starts_with(root)) {
            let enabled = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
            let has = |controller| enabled.split_whitespace().any(|it| it == controller);
            let ours = folder.join("breakfix");
            if !has("memory") || !writable(&folder.join("cgroup.procs")) || fs::create_dir_all(&ours).is_err() {
                continue;
            }
            let control = ours.join("cgroup.subtree_control");
            if fs::write(&control, "+memory").is_ok() {
                let cpu = has("cpu") && fs::write(&control, "+cpu").is_ok();
                return Some(Self::V2 { folder: ours, cpu });
            }
        }
        None
    }

    fn detect_v1() -> Option<Self> {
        let ours = |controller: &str| {
            let root = Path::new("/sys/fs/cgroup").join(controller);
            root.join("cgroup.procs").exists().then_some(())?;
            let ours = root.join("breakfix");
            fs::create_dir_all(&ours).ok()?;
            writable(&ours.join("cgroup.procs")).then_some(ours)
        };
        let memory = ours("memory")?;
        memory.join("memory.limit_in_bytes").exists().then_some(())?;
        let cpu = ours("cpu").or_else(|| ours("cpu,cpuacct")).filter(|it| it.join("cpu.cfs_quota_us").exists());
        Some(Self::V1 { memory, cpu })
    }

    pub(super) const fn description(&self) -> &'static str {
        match self {
            Self::V2 { cpu: true, .. } => "memory and CPU by control groups (version 2)",
            Self::V2 { cpu: false, .. } => {
                "memory by control groups (version 2), CPU not limited: its controller is not delegated"
            }
            Self::V1 { cpu: Some(_), .. } => "memory and CPU by control groups (version 1)",
            Self::V1 { cpu: None, .. } => {
                "memory by control groups (version 1), CPU not limited: its controller cannot be written"
            }
        }
    }

    pub(super) fn make(&self, task: &str, cpu_units: u32, memory_mib: u32) -> io::Result<TaskGroup> {
        let own = Identity::own().ok_or_else(|| io::Error::other("this process is not in the process table"))?;
        let name = format!("{}.{}-{task}", own.pid, own.start_time);
        let memory_bytes = (u64::from(memory_mib) * 1024 * 1024).to_string();
        let quota_us = u64::from(cpu_units) * PERIOD_US / 1024;
        match self {
            Self::V2 { folder, cpu } => {
                let folder = folder.join(name);
                fs::create_dir(&folder)?;
                fs::write(folder.join("memory.max"), memory_bytes)?;
                // Fargate has no swap; without the controller for it there is none to limit.
                let _ = fs::write(folder.join("memory.swap.max"), "0");
                if *cpu {
                    fs::write(folder.join("cpu.max"), format!("{quota_us} {PERIOD_US}"))?;
                    let _ = fs::write(folder.join("cpu.max.burst"), quota_us.to_string());
                }
                let events = folder.join("memory.events");
                Ok(TaskGroup { folders: vec![folder], events })
            }
            Self::V1 { memory, cpu } => {
                let memory = memory.join(&name);
                fs::create_dir(&memory)?;
                fs::write(memory.join("memory.limit_in_bytes"), &memory_bytes)?;
                let _ = fs::write(memory.join("memory.memsw.limit_in_bytes"), &memory_bytes);
                let events = memory.join("memory.oom_control");
                let mut folders = vec![memory];
                if let Some(cpu) = cpu {
                    let cpu = cpu.join(&name);
                    fs::create_dir(&cpu)?;
                    fs::write(cpu.join("cpu.cfs_quota_us"), quota_us.to_string())?;
                    let _ = fs::write(cpu.join("cpu.cfs_burst_us"), quota_us.to_string());
                    folders.push(cpu);
                }
                Ok(TaskGroup { folders, events })
            }
        }
    }

    /// Ends and removes the groups of twins that do not live any more.
    pub(super) fn sweep(&self) {
        let folders = match self {
            Self::V2 { folder, .. } => vec![folder],
            Self::V1 { memory, cpu } => std::iter::once(memory).chain(cpu).collect(),
        };
        for entry in folders.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let owner = name.split_once('-').and_then(|(owner, _)| owner.split_once('.'));
            let Some((pid, start_time)) = owner else { continue };
            let Ok(pid) = pid.parse() else { continue };
            if !(Identity { pid, start_time: start_time.to_owned() }).is_alive() {
                TaskGroup { folders: vec![entry.path()], events: PathBuf::new() }.remove();
            }
        }
    }
}

impl TaskGroup {
    /// The files through which a process puts itself into the group by writing `0`, opened before the fork because afterwards
    /// nothing may allocate.
    pub(crate) fn open(entrances: &[PathBuf]) -> io::Result<Vec<File>> {
        entrances.iter().map(|entrance| OpenOptions::new().write(true).open(entrance)).collect()
    }

    /// The paths of those files.
    pub(crate) fn entrances(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|folder| folder.join("cgroup.procs")).collect()
    }

    /// Whether the kernel killed a process of the group for want of memory.
    pub(crate) fn was_out_of_memory(&self) -> bool {
        let events = fs::read_to_string(&self.events).unwrap_or_default();
        events.lines().filter_map(|line| line.strip_prefix("oom_kill ")).any(|count| count.trim() != "0")
    }

    /// Ends whatever still runs in the group (a container's end is the end of all its processes) and removes it.
    pub(crate) fn remove(&self) {
        let deadline = Instant::now() + Duration::from_secs(2);
        for folder in &self.folders {
            loop {
                for pid in fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default().lines() {
                    if let Ok(pid) = pid.parse() {
                        // It may be gone already; then there is nothing to end.
                        let _ = signal::kill(Pid::from_raw(pid), signal::Signal::SIGKILL);
                    }
                }
                match fs::remove_dir(folder) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound && Instant::now() < deadline => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        tracing::warn!(%error, folder = %folder.display(), "a control group could not be removed");
                        break;
                    }
                    _ => break,
                }
            }
        }
    }
}

/// Puts a command's process into the group whose doors these are, before it becomes the program.
pub(crate) fn enter(command: &mut tokio::process::Command, doors: Vec<File>) {
    // SAFETY: between fork and exec only write(2) is called, on descriptors that are open already.
    #[allow(unsafe_code, reason = "a process must be in its group before the program's first allocation is counted")]
    unsafe {
        command.pre_exec(move || {
            for door in &doors {
                nix::unistd::write(door.as_fd(), b"0")?;
            }
            Ok(())
        });
    }
}

fn writable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_killed_twin_left_in_its_groups_is_ended_and_what_a_living_one_has_stays() {
        // On a machine without a writable hierarchy there is nothing to sweep; `doctor` tells of that.
        let Some(hierarchy) = Hierarchy::detect() else { return };
        let (Hierarchy::V2 { folder, .. } | Hierarchy::V1 { memory: folder, .. }) = &hierarchy;
        let left = folder.join("1.1-left");
        fs::create_dir_all(&left).expect("the hierarchy is writable");
        let mut sleeper = tokio::process::Command::new("sleep");
        sleeper.arg("60").kill_on_drop(true);
        enter(&mut sleeper, TaskGroup::open(&[left.join("cgroup.procs")]).expect("the group has a door"));
        let mut sleeper = sleeper.spawn().expect("sleep spawns");
        let living = hierarchy.make(&uuid::Uuid::new_v4().to_string(), 256, 64).expect("a group can be made");
        hierarchy.sweep();
        let status = tokio::time::timeout(Duration::from_secs(5), sleeper.wait()).await.expect("it was ended");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status.expect("it can be waited for")), Some(9));
        assert!(!left.exists());
        assert!(living.folders.iter().all(|folder| folder.exists()));
        living.remove();
        assert!(!living.folders.iter().any(|folder| folder.exists()));
    }
}
