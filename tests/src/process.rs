//! Processes of this machine, as /proc has them.

use std::{fs, path::Path};

use crate::until;

/// Whether a process runs. A zombie that waits for its reaper has ended.
pub fn runs(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z')))
}

/// Waits until none of these processes, name and pid, runs any longer.
///
/// # Panics
/// When one still runs after 20 s.
#[track_caller]
pub fn until_gone(processes: &[(String, i32)]) {
    until("every process has ended", 20, || {
        let left: Vec<_> = processes.iter().filter(|(_, pid)| runs(*pid)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
}

/// The processes that name this folder in their command line or environment: command line and pid.
pub fn that_name(folder: &Path) -> Vec<(String, i32)> {
    let folder = folder.display().to_string();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let read = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let command_line = read("cmdline");
        (command_line.contains(&folder) || read("environ").contains(&folder)).then_some((command_line, pid))
    })
    .filter(|(_, pid)| runs(*pid))
    .collect()
}
