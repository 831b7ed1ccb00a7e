//! The operator's commands against a running lab.

use serde_json::Value;
use tests::{Lab, text};

#[test]
fn status_break_load_and_doctor_speak_the_same_lab() {
    let lab = Lab::up();
    let status = lab.breakfix(&["status", "--json"]);
    assert!(status.status.success(), "{}", text(&status.stderr));
    let status: Value = serde_json::from_slice(&status.stdout).expect("status --json is JSON");
    assert_eq!(status["tasks"].as_array().map(Vec::len), Some(2), "{status}");

    // The flag means its own lab, whatever the environment names.
    let flagged =
        lab.command(&["status"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").output().expect("breakfix runs");
    assert!(text(&flagged.stdout).contains(lab.name("AWS_ENDPOINT_URL")), "{}", text(&flagged.stderr));

    let dry = lab.breakfix(&["break", "latency", "min_ms=10", "max_ms=20", "--percentage", "50", "--dry-run"]);
    assert!(dry.status.success(), "{}", text(&dry.stderr));
    let value: Value = serde_json::from_slice(&dry.stdout).expect("--dry-run prints the value");
    assert_eq!((&value["mode"], &value["percentage"]), (&Value::from("latency"), &Value::from(50)), "{value}");
    let untouched = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")]);
    assert_eq!(untouched["Parameter"]["Value"], "none");

    let broken = lab.breakfix(&["break", "return_500", "status=503", "--path", "/work"]);
    assert!(broken.status.success(), "{}", text(&broken.stderr));
    let parameter = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")]);
    lab.until_applied(parameter["Parameter"]["Version"].as_i64().expect("a version"));
    assert_eq!(lab.get("/work?ms=0").status, 503);
    assert_eq!(lab.get("/").status, 200);

    let load = lab.breakfix(&["load", "--rate", "50", "--duration", "2s", "--path", "/", "--path", "/work?ms=0"]);
    assert!(load.status.success(), "{}", text(&load.stderr));
    let summary: Value = serde_json::from_slice(&load.stdout).expect("load prints a JSON summary");
    assert_eq!(summary["finished"], 100, "{summary}");

    let plan = lab.breakfix(&["reset", "--dry-run"]);
    assert!(
        text(&plan.stderr).contains("/golden/failure_mode") || text(&plan.stdout).contains("/golden/failure_mode"),
        "{plan:?}"
    );
    lab.reset();
    let again = lab.breakfix(&["reset", "--json"]);
    assert!(again.status.success(), "reset is idempotent: {}", text(&again.stderr));

    let doctor = lab.breakfix(&["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&doctor.stdout).expect("doctor --json is JSON");
    assert!(report.to_string().contains("PostgreSQL"), "{report}");
}
