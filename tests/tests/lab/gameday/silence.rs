//! The lab dies in the middle of a run.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tests::{Lab, text};

use super::{SPEED, last, start, until_broken};

#[test]
fn a_run_whose_lab_has_died_ends_and_the_next_lab_begins_with_nothing_broken() {
    let mut lab = Lab::up_with(&SPEED);
    let mut run = start(&lab, &["slow-p95"]);
    until_broken(&lab);
    kill(Pid::from_raw(lab.twin_pid()), Signal::SIGKILL).expect("it runs");
    assert_eq!(run.wait().expect("it gives up").code(), Some(1));
    assert!(last(&lab)["reason"].as_str().is_some_and(|reason| reason.contains("the lab is silent")), "{}", last(&lab));
    lab.start(&SPEED);
    let recovered = lab.breakfix(&["gameday", "recover"]);
    assert!(text(&recovered.stderr).contains("nothing is left"), "{}", text(&recovered.stderr));
    assert!(lab.breakfix(&["reset", "--dry-run"]).status.success(), "the new lab is healthy");
}
