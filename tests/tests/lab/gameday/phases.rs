//! A run that is killed or interrupted in each of its phases leaves a healthy lab.

use std::process::Child;

use nix::sys::signal::Signal;
use tests::{Lab, text, until};

use super::{SPEED, last, parameter, signal, start, status};

/// Broken and mended within a second, and every phase waits for a word from outside. The alarm is one that only this test raises.
const SCENARIO: &str = r#"
title: One route fails
brief: Orders fail.
severity: high
steady_state:
  window: 1s
  probes:
    - {probe: error_rate_percent, at_most: 1}
inject:
  - name: One route answers 500
    parameter: {mode: return_500, match: {path: /db}}
    wait: 1500ms
  - name: Nothing further, so that the phase can be met
    aws: aws ecs list-clusters
    harmless: It only reads.
expect:
  alarms: [golden-db-storage]
truth:
  component: {is: the application}
  cause: {is: one route answers 500}
runbook: alb-5xx-spike
verify_window: 4m
"#;

/// After the preflight, in which there is nothing to put back.
const PHASES: [&str; 8] =
    ["steady_state", "inject", "detect", "acknowledge", "diagnose", "mitigate", "verify", "rollback"];

/// Starts a run and does what leads to that phase.
fn drive(lab: &Lab, wanted: &str) -> Child {
    let file = lab.state_dir().join("one-route.yaml");
    std::fs::write(&file, SCENARIO).expect("written");
    let run = start(lab, &[&file.to_string_lossy()]);
    until(wanted, 120, || {
        let status = status(lab);
        let phase = status["phase"].as_str().unwrap_or_default();
        if phase == wanted {
            return Ok(());
        }
        match phase {
            // The shortest way there.
            "detect" if wanted == "rollback" => drop(lab.breakfix(&["gameday", "abort"])),
            "detect" => {
                let raise = ["cloudwatch", "set-alarm-state", "--alarm-name", "golden-db-storage"];
                lab.aws(&[&raise[..], &["--state-value", "ALARM", "--state-reason", "test"]].concat());
            }
            "acknowledge" => drop(lab.breakfix(&["gameday", "ack"])),
            "diagnose" => drop(lab.breakfix(&["gameday", "diagnose", "one route of the application answers 500"])),
            "mitigate" => drop(lab.set_mode("none")),
            _ => {}
        }
        Err(status)
    });
    run
}

fn recover(lab: &Lab, phase: &str) -> String {
    let recovered = lab.breakfix(&["gameday", "recover"]);
    let said = text(&recovered.stderr);
    assert!(recovered.status.success(), "{phase}: {said}");
    assert_eq!(parameter(lab), "none", "{phase}: {said}");
    said
}

#[test]
fn a_run_that_is_killed_in_any_phase_is_put_back_by_recover() {
    let lab = Lab::up_with(&SPEED);
    for phase in PHASES {
        let mut run = drive(&lab, phase);
        signal(&run, Signal::SIGKILL);
        run.wait().expect("it has ended");
        let left = parameter(&lab);
        let said = recover(&lab, phase);
        // How far a rollback has come is its own matter.
        if phase != "rollback" {
            let is_broken = !["steady_state", "verify"].contains(&phase);
            assert_eq!(left != "none", is_broken, "{phase}: nobody was there to put it back");
            assert_eq!(said.contains("One route answers 500"), phase != "steady_state", "{phase}: {said}");
        }
        // It has no outcome, and is not forgotten.
        let reason = last(&lab)["reason"].to_string();
        assert!(phase == "rollback" || reason.contains("cut off: put back afterwards"), "{phase}: {reason}");
    }
    assert!(recover(&lab, "the end").contains("nothing is left"));
    assert!(lab.breakfix(&["reset", "--dry-run"]).status.success(), "the lab is healthy");

    // What nobody recovers is put back by the next run.
    let mut run = drive(&lab, "detect");
    signal(&run, Signal::SIGKILL);
    run.wait().expect("it has ended");
    let next = lab.command(&["gameday", "run", "no-fault", "--autopilot", "--json"]).output().expect("breakfix runs");
    assert!(next.status.success() && text(&next.stdout).contains(r#""event":"recovered""#), "{}", text(&next.stderr));
}

#[test]
fn a_run_that_is_interrupted_in_any_phase_puts_everything_back_by_itself() {
    let lab = Lab::up_with(&SPEED);
    for phase in PHASES {
        let mut run = drive(&lab, phase);
        signal(&run, Signal::SIGINT);
        let ended = run.wait().expect("it ends by itself").code();
        assert_eq!(parameter(&lab), "none", "{phase}");
        assert_eq!(ended, Some(1), "{phase}");
        // Once it puts everything back, a word more changes nothing.
        let stopped = last(&lab)["reason"].as_str().is_some_and(|reason| reason.starts_with("stopped: "));
        assert!(stopped, "{phase}: {}", last(&lab));
    }
    let mut run = drive(&lab, "mitigate");
    signal(&run, Signal::SIGINT);
    until("it puts everything back", 60, || match status(&lab) {
        status if status["phase"] == "rollback" => Ok(()),
        status => Err(status),
    });
    signal(&run, Signal::SIGINT);
    assert_eq!(run.wait().expect("it leaves the rest").code(), Some(1));
    recover(&lab, "a second interruption");
    assert!(lab.breakfix(&["reset", "--dry-run"]).status.success(), "the lab is healthy");
}
