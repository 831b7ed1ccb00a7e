//! Alarms follow what really happened: each symptom raises its alarm, the alarm tells its topic, and the repair ends it.

use serde_json::Value;
use tests::{Lab, Traffic, until};

/// Periods of 60 s pass in 6 s at the default speed; the slowest alarm needs five of them, and a few more to be OK again.
const PATIENCE_S: u64 = 90;

fn alarm(lab: &Lab, name: &str) -> Value {
    lab.aws(&["cloudwatch", "describe-alarms", "--alarm-names", name])["MetricAlarms"][0].clone()
}

fn until_state(lab: &Lab, name: &str, wanted: &str) {
    until(&format!("{name} is {wanted}"), PATIENCE_S, || {
        let alarm = alarm(lab, name);
        if alarm["StateValue"] == wanted {
            Ok(())
        } else {
            Err(format!("{} {}", alarm["StateValue"], alarm["StateReason"]))
        }
    });
}

/// Takes messages off the alarm queue until one is of this alarm and state.
fn until_told(lab: &Lab, name: &str, wanted: &str) {
    // Version 1 of the aws CLI takes no variable for this service.
    let sqs =
        |arguments: &[&str]| lab.aws(&[&["sqs", "--endpoint-url", lab.name("AWS_ENDPOINT_URL")], arguments].concat());
    let url = sqs(&["get-queue-url", "--queue-name", "golden-alarms"])["QueueUrl"].clone();
    let url = url.as_str().expect("a queue has a URL");
    until(&format!("the queue tells that {name} is {wanted}"), 30, || {
        let received =
            sqs(&["receive-message", "--queue-url", url, "--max-number-of-messages", "10", "--wait-time-seconds", "1"]);
        let mut told = Vec::new();
        for message in received["Messages"].as_array().into_iter().flatten() {
            let handle = message["ReceiptHandle"].as_str().expect("a handle");
            sqs(&["delete-message", "--queue-url", url, "--receipt-handle", handle]);
            let envelope: Value = serde_json::from_str(message["Body"].as_str().unwrap_or_default()).expect("JSON");
            let change: Value = serde_json::from_str(envelope["Message"].as_str().unwrap_or_default()).expect("JSON");
            told.push((change["AlarmName"].clone(), change["NewStateValue"].clone()));
        }
        if told.iter().any(|(alarm, state)| alarm == name && state == wanted) {
            Ok(())
        } else {
            Err(format!("{told:?}"))
        }
    });
}

#[test]
fn errors_raise_an_alarm_that_tells_its_topic_and_ends_with_the_repair() {
    let lab = Lab::up();
    let traffic = Traffic::start(lab.name("ALB_URL"), 20.0, &["/", "/work?ms=1"]);
    until_state(&lab, "golden-5xx-rate", "OK");
    lab.until_applied(lab.set_mode("return_500"));
    until_state(&lab, "golden-5xx-rate", "ALARM");
    until_told(&lab, "golden-5xx-rate", "ALARM");
    let composite = lab.aws(&["cloudwatch", "describe-alarms", "--alarm-types", "CompositeAlarm"]);
    assert_eq!(composite["CompositeAlarms"][0]["StateValue"], "ALARM", "{composite}");
    lab.reset();
    until_state(&lab, "golden-5xx-rate", "OK");
    until_told(&lab, "golden-5xx-rate", "OK");
    traffic.end();

    let history = lab.aws(&[
        "cloudwatch",
        "describe-alarm-history",
        "--alarm-name",
        "golden-5xx-rate",
        "--history-item-type",
        "StateUpdate",
    ]);
    let changes: Vec<&str> = history["AlarmHistoryItems"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["HistorySummary"].as_str())
        .collect();
    assert_eq!(changes[..2], ["Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM"], "newest first");
    let reason = alarm(&lab, "golden-5xx-rate")["StateReason"].to_string();
    assert!(reason.contains("Threshold Crossed"), "{reason}");
}

#[test]
fn each_symptom_raises_its_own_alarm() {
    let lab = Lab::up();
    for (mode, alarm, paths) in [
        (r#"{"mode":"latency","min_ms":600,"max_ms":700}"#, "golden-latency-p95", ["/", "/"]),
        ("connection_leak", "golden-db-connections", ["/", "/db"]),
        (r#"{"mode":"memory_leak","mib_per_request":4,"cap_mib":360}"#, "golden-task-memory", ["/", "/"]),
    ] {
        let traffic = Traffic::start(lab.name("ALB_URL"), 10.0, &paths);
        until_state(&lab, alarm, "OK");
        lab.until_applied(lab.set_mode(mode));
        until_state(&lab, alarm, "ALARM");
        lab.reset();
        until_state(&lab, alarm, "OK");
        traffic.end();
    }
}

#[test]
fn a_metric_filter_counts_the_injected_errors_and_nothing_else() {
    let lab = Lab::up();
    lab.until_applied(lab.set_mode(r#"{"mode":"return_500","match":{"path":"/work"}}"#));
    for _ in 0..20 {
        assert_eq!((lab.get("/work?ms=0").status, lab.get("/").status), (500, 200));
    }
    until("the metric says the same", 20, || {
        let found = lab.aws(&[
            "cloudwatch",
            "get-metric-statistics",
            "--namespace",
            "Golden",
            "--metric-name",
            "ServerErrors",
            "--start-time",
            &minutes_from_now(-10),
            "--end-time",
            &minutes_from_now(1),
            "--period",
            "3600",
            "--statistics",
            "Sum",
        ]);
        let sum: f64 =
            found["Datapoints"].as_array().into_iter().flatten().filter_map(|point| point["Sum"].as_f64()).sum();
        if (sum - 20.0).abs() < 0.5 { Ok(()) } else { Err(found) }
    });
}

/// As the aws CLI takes a time: seconds since the epoch.
fn minutes_from_now(minutes: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    (i64::try_from(now).expect("before the end of time") + minutes * 60).to_string()
}
