//! Whether the lab can put CPU and memory limits on tasks, and what it means when not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Finding;
use crate::commands::own_name;

const NAME: &str = "limits";

/// Where the controllers for CPU and memory are mounted.
#[derive(Debug, PartialEq, Eq)]
enum Mounts {
    /// One tree for all controllers.
    Unified(PathBuf),
    /// A tree for each controller: CPU, memory.
    Split(PathBuf, PathBuf),
    None,
}

pub(crate) fn check() -> Finding {
    let mounts = fs::read_to_string("/proc/self/mounts").map_or(Mounts::None, |table| mounts(&table));
    let without = |why: String| {
        Finding::warn(
            NAME,
            format!(
                "{why}: memory limits are kept by watching (exit 137 still comes), CPU is measured but not limited"
            ),
            format!(
                "run as root, or in a session with delegated cgroups: systemd-run --user --scope -p Delegate=yes {} up",
                own_name()
            ),
        )
    };
    match mounts {
        Mounts::None => without("no cgroup tree with CPU and memory".into()),
        Mounts::Split(cpu, memory) => match [&cpu, &memory].into_iter().find(|tree| !can_make_group(tree)) {
            None => Finding::ok(NAME, "cgroup v1, writable: CPU and memory limits hold"),
            Some(tree) => without(format!("cgroup v1, {} is not writable", tree.display())),
        },
        Mounts::Unified(root) => {
            let controllers = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
            let has = |name: &str| controllers.split_whitespace().any(|word| word == name);
            if !has("cpu") || !has("memory") {
                without(format!("cgroup v2 without the controllers cpu and memory ({})", controllers.trim()))
            } else if can_make_group(&root) {
                Finding::ok(NAME, "cgroup v2, writable: CPU and memory limits hold")
            } else {
                without(format!("cgroup v2, {} is not writable", root.display()))
            }
        }
    }
}

/// The only sure way to know is to make a group; it is empty and goes at once.
fn can_make_group(tree: &Path) -> bool {
    let group = tree.join(format!("breakfix-doctor-{}", std::process::id()));
    fs::create_dir(&group).is_ok() && fs::remove_dir(&group).is_ok()
}

/// Reads a table as `/proc/self/mounts` has it. Controllers that a v1 tree holds are not in a v2 tree beside it.
fn mounts(table: &str) -> Mounts {
    let (mut unified, mut cpu, mut memory) = (None, None, None);
    for line in table.lines() {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(place), Some(kind), Some(options)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let controls = |name: &str| options.split(',').any(|option| option == name);
        match kind {
            "cgroup2" => unified = Some(PathBuf::from(place)),
            "cgroup" if controls("cpu") => cpu = Some(PathBuf::from(place)),
            "cgroup" if controls("memory") => memory = Some(PathBuf::from(place)),
            _ => {}
        }
    }
    match (cpu, memory, unified) {
        (Some(cpu), Some(memory), _) => Mounts::Split(cpu, memory),
        (_, _, Some(unified)) => Mounts::Unified(unified),
        _ => Mounts::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_are_told_apart() {
        let v2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev 0 0\n";
        assert_eq!(mounts(v2), Mounts::Unified("/sys/fs/cgroup".into()));
        let v1 = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n\
                  cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n\
                  cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(mounts(v1), Mounts::Split("/sys/fs/cgroup/cpu,cpuacct".into(), "/sys/fs/cgroup/memory".into()));
        assert_eq!(mounts("tmpfs /tmp tmpfs rw 0 0\n"), Mounts::None);
    }
}
