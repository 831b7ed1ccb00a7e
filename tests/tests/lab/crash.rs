//! A crashing process: its exit code is in the stopped task, and the scheduler starts another.

use tests::{Lab, until};

#[test]
fn a_crash_leaves_its_exit_code_and_the_service_replaces_the_task() {
    let lab = Lab::up();
    let first: Vec<_> = lab.tasks("RUNNING").iter().map(|task| task["taskArn"].clone()).collect();
    lab.set_mode(r#"{"mode":"crash","after_s":0,"exit_code":42}"#);
    let stopped = until("a task has crashed", 30, || {
        let stopped = lab.tasks("STOPPED");
        let crashed = stopped.iter().find(|task| task["containers"][0]["exitCode"] == 42);
        crashed.cloned().ok_or_else(|| format!("{stopped:?}"))
    });
    assert_eq!(stopped["stoppedReason"], "Essential container in task exited");
    assert_eq!(stopped["stopCode"], "EssentialContainerExited");

    lab.reset();
    let running = lab.tasks("RUNNING");
    assert_eq!(running.len(), 2);
    assert!(running.iter().all(|task| !first.contains(&task["taskArn"])), "the crashed tasks are gone: {running:?}");
}
