//! A killed twin leaves nothing behind, and `up` after it works.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tests::{Lab, process::until_gone, text};

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
