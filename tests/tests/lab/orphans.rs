//! A killed twin leaves nothing behind, and `up` after it works.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tests::{Lab, text, until};

fn runs(pid: i32) -> bool {
    // A zombie that waits for its reaper has ended.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z')))
}

fn until_gone(children: &[(String, i32)]) {
    until("every child of the twin is gone", 20, || {
        let left: Vec<_> = children.iter().filter(|(_, pid)| runs(*pid)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
}

#[test]
fn kill_9_leaves_no_orphan_and_up_works_again() {
    let mut lab = Lab::up();
    let children = lab.children();
    assert!(children.iter().any(|(name, _)| name.contains("postgres")), "{children:?}");
    assert!(children.iter().filter(|(name, _)| name.starts_with("task")).count() >= 2, "{children:?}");
    kill(Pid::from_raw(lab.twin_pid()), Signal::SIGKILL).expect("the twin runs");
    until_gone(&children);
    lab.start(&[]);
    assert_eq!(lab.get("/db").status, 200);
}

#[test]
fn up_twice_is_refused_and_down_ends_everything() {
    let lab = Lab::up();
    let children = lab.children();
    let again = lab.breakfix(&["up", "--detach"]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("already"), "{}", text(&again.stderr));
    assert_eq!(lab.get("/").status, 200, "the running lab is not disturbed");
    let down = lab.breakfix(&["down"]);
    assert!(down.status.success(), "{}", text(&down.stderr));
    until_gone(&children);
    let twice = lab.breakfix(&["down"]);
    assert!(twice.status.success(), "down is idempotent: {}", text(&twice.stderr));
}
