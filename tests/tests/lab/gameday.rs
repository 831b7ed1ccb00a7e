//! Game days: a run on autopilot passes, and however a run ends, everything is put back.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tests::{Lab, text, until};

fn parameter(lab: &Lab) -> String {
    let read = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")]);
    read["Parameter"]["Value"].as_str().unwrap_or_default().to_owned()
}

/// Starts a run and leaves it to itself.
fn start(lab: &Lab, arguments: &[&str]) -> Child {
    let mut command = lab.command(&[&["gameday", "run"], arguments].concat());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("breakfix runs")
}

fn status(lab: &Lab) -> Value {
    serde_json::from_slice(&lab.breakfix(&["gameday", "status", "--json"]).stdout).unwrap_or_default()
}

fn until_broken(lab: &Lab) {
    until("the fault is made", 120, || match parameter(lab) {
        value if value == "none" => Err(status(lab)),
        _ => Ok(()),
    });
}

fn signal(run: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(run.id()).expect("a pid")), signal).expect("it runs");
}

/// The last line of the history.
fn last(lab: &Lab) -> Value {
    let history: Value = serde_json::from_slice(&lab.breakfix(&["gameday", "history", "--json"]).stdout).expect("JSON");
    history.as_array().and_then(|lines| lines.last()).cloned().unwrap_or_default()
}

#[test]
fn a_run_on_autopilot_is_detected_mended_measured_and_put_back() {
    let lab = Lab::up();
    let output = lab.breakfix(&["gameday", "run", "secret-drift", "--autopilot", "--json"]);
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    let stdout = text(&output.stdout);
    let outcome: Value = serde_json::from_str(stdout.lines().last().expect("events")).expect("JSON");
    let measured = &outcome["outcome"]["measured"];
    for moment in ["fault", "detected", "acknowledged", "diagnosed", "recovered", "verified"] {
        assert!(!measured[moment]["evidence"].as_str().unwrap_or_default().is_empty(), "{moment}: {measured}");
    }
    assert_eq!(outcome["outcome"]["missing_signals"], Value::Array(Vec::new()));
    assert_eq!(parameter(&lab), "none");
    let report = lab.breakfix(&["gameday", "report"]);
    let page = std::fs::read_to_string(text(&report.stdout).trim()).expect("a report");
    assert!(page.contains("<svg") && page.contains("golden-db-authentication"), "{page}");
    assert_eq!(last(&lab)["passed"], true);
}

#[test]
fn a_killed_run_is_put_back_by_recover_and_an_interrupted_one_by_itself() {
    let lab = Lab::up();
    let mut run = start(&lab, &["unhealthy-targets"]);
    until_broken(&lab);
    let second = lab.breakfix(&["gameday", "run", "no-fault"]);
    assert!(!second.status.success() && text(&second.stderr).contains("is going on"), "{}", text(&second.stderr));
    signal(&run, Signal::SIGKILL);
    run.wait().expect("it has ended");
    assert_ne!(parameter(&lab), "none", "nobody was there to put it back");
    let recovered = lab.breakfix(&["gameday", "recover"]);
    assert!(recovered.status.success(), "{}", text(&recovered.stderr));
    assert_eq!(parameter(&lab), "none");
    assert!(lab.breakfix(&["reset", "--dry-run"]).status.success(), "the lab is healthy");
    let again = lab.breakfix(&["gameday", "recover"]);
    assert!(text(&again.stderr).contains("nothing is left"), "{}", text(&again.stderr));

    let mut run = start(&lab, &["slow-p95"]);
    until_broken(&lab);
    signal(&run, Signal::SIGINT);
    let ended = run.wait().expect("it ends by itself");
    assert_eq!(ended.code(), Some(1));
    assert_eq!(parameter(&lab), "none");
    assert!(last(&lab)["reason"].as_str().is_some_and(|reason| reason.starts_with("stopped")), "{}", last(&lab));
}

#[test]
fn nothing_is_touched_in_a_sick_lab_or_for_a_scenario_with_a_typo() {
    let lab = Lab::up();
    let before = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")])["Parameter"].clone();
    let file = lab.state_dir().join("typo.yaml");
    std::fs::write(&file, "title: x\nbrief: y\nseverity: high\nsteady_stat:\n  probes: []\n").expect("written");
    let refused = lab.breakfix(&["gameday", "run", &file.to_string_lossy()]);
    let said = text(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("typo.yaml:4:1") && said.contains("steady_state, inject"),
        "{said}"
    );
    let after = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")])["Parameter"].clone();
    assert_eq!(before, after);

    lab.set_mode("return_500");
    let refused = lab.breakfix(&["gameday", "run", "secret-drift"]);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("sick") && said.contains("failure_mode"), "{said}");
    assert_eq!(parameter(&lab), "return_500", "the sick lab is left as it was");
    lab.reset();
}

#[test]
fn to_scale_to_nothing_is_no_recovery() {
    let lab = Lab::up();
    let mut run = start(&lab, &["unhealthy-targets", "--for", "20s"]);
    until_broken(&lab);
    lab.aws(&["ecs", "update-service", "--cluster", "golden", "--service", "golden", "--desired-count", "0"]);
    assert_eq!(run.wait().expect("its time is over").code(), Some(1));
    let reason = last(&lab)["reason"].to_string();
    assert!(reason.contains("the service wants 0 tasks, not 2"), "{reason}");
    until("the tasks are back", Duration::from_secs(30).as_secs(), || {
        let ready = lab.breakfix(&["reset", "--dry-run"]);
        if ready.status.success() { Ok(()) } else { Err(text(&ready.stderr)) }
    });
}
