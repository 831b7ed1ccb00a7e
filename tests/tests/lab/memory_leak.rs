//! A leak ends as it ends in AWS: exit code 137 and a stopped reason that names the memory.

use tests::{Lab, until};

#[test]
fn a_memory_leak_ends_in_exit_137_and_a_new_task() {
    let lab = Lab::up();
    let version = lab.set_mode(r#"{"mode":"memory_leak","mib_per_request":64}"#);
    lab.until_applied(version);
    let stopped = until("a task is killed for its memory", 60, || {
        for _ in 0..6 {
            // A task that dies in mid-request answers 502; that is the drill.
            let _ = lab.try_get("/");
        }
        let stopped = lab.tasks("STOPPED");
        let killed = stopped.iter().find(|task| task["containers"][0]["exitCode"] == 137);
        killed.cloned().ok_or_else(|| format!("{stopped:?}"))
    });
    assert_eq!(stopped["stopCode"], "EssentialContainerExited", "{stopped}");
    let reason = stopped["containers"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("OutOfMemoryError"), "{stopped}");

    lab.reset();
    assert_eq!(lab.tasks("RUNNING").len(), 2);
}
