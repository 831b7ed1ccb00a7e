//! Game days: a run on autopilot passes, and however a run ends, everything is put back.

#[path = "gameday/autopilot.rs"]
mod autopilot;
#[path = "gameday/cheats.rs"]
mod cheats;
#[path = "gameday/phases.rs"]
mod phases;
#[path = "gameday/refusals.rs"]
mod refusals;
#[path = "gameday/silence.rs"]
mod silence;

use std::process::{Child, Stdio};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tests::{Lab, until};

/// As quick as two cores keep up with; these tests are about ends, not about times.
const SPEED: [&str; 2] = ["--speed", "30"];

fn parameter(lab: &Lab) -> String {
    let read = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")]);
    read["Parameter"]["Value"].as_str().unwrap_or_default().to_owned()
}

/// Starts a run and leaves it to itself.
fn start(lab: &Lab, arguments: &[&str]) -> Child {
    let mut command = lab.command(&[&["gameday", "run"], arguments].concat());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("breakfix runs")
}

/// As `gameday status` has it; nothing while no run goes on.
fn status(lab: &Lab) -> Value {
    serde_json::from_slice(&lab.breakfix(&["gameday", "status", "--json"]).stdout).unwrap_or_default()
}

fn until_broken(lab: &Lab) {
    until("the fault is made", 120, || match status(lab) {
        status if status["phase"] == "detect" => Ok(()),
        status => Err(status),
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
