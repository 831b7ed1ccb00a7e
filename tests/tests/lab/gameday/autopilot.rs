//! A whole run by the runbook.

use serde_json::Value;
use tests::{Lab, text};

use super::{SPEED, last, parameter};

#[test]
fn a_blind_run_on_autopilot_is_detected_mended_measured_and_put_back() {
    let lab = Lab::up_with(&SPEED);
    let instructor = lab.state_dir().join("instructor");
    let told = instructor.to_string_lossy();
    let arguments = ["secret-drift", "--autopilot", "--blind", "--json", "--instructor", &told];
    let output = lab.breakfix(&[&["gameday", "run"], &arguments[..]].concat());
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    let stdout = text(&output.stdout);
    let events = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let spoilt: Vec<Value> = events.filter(|event| event["event"] == "happened" && event["spoils"] == true).collect();
    assert!(spoilt.is_empty(), "told before the end: {spoilt:?}");
    let instructor = std::fs::read_to_string(&instructor).expect("the instructor's file");
    assert!(
        instructor.contains("truth: database credentials") && instructor.contains("password is rotated"),
        "{instructor}"
    );
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
