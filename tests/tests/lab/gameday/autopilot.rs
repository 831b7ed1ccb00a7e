//! A whole run by the runbook.

use serde_json::Value;
use tests::{Lab, text};

use super::{last, parameter};

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
