//! CPU burn is real CPU time of the task's process, beside an async runtime that still answers.

use std::fs;

use tests::{Lab, until};

/// CPU time of all tasks in clock ticks: fields 14 and 15 of /proc/<pid>/stat (proc(5)).
fn cpu_ticks(lab: &Lab) -> u64 {
    let tasks = lab.children().into_iter().filter(|(name, _)| name.starts_with("task"));
    let ticks = |pid: i32| -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
    };
    tasks.filter_map(|(_, pid)| ticks(pid)).sum()
}

#[test]
fn cpu_burn_takes_cpu_and_gives_it_back() {
    let lab = Lab::up();
    let version = lab.set_mode(r#"{"mode":"cpu_burn","percent":90,"workers":1}"#);
    lab.until_applied(version);
    let start = cpu_ticks(&lab);
    until("a second of CPU time is burnt", 30, || {
        let burnt = cpu_ticks(&lab).saturating_sub(start);
        if burnt >= 100 { Ok(()) } else { Err(format!("{burnt} ticks")) }
    });
    assert_eq!(lab.get("/healthz").status, 200, "the burn stands beside the runtime, so the health check passes");

    lab.reset();
    until("the CPU is quiet again", 20, || {
        let start = cpu_ticks(&lab);
        std::thread::sleep(std::time::Duration::from_secs(1));
        let burnt = cpu_ticks(&lab).saturating_sub(start);
        if burnt <= 20 { Ok(()) } else { Err(format!("{burnt} ticks in a second")) }
    });
}
