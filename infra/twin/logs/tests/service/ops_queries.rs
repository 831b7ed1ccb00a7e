//! The files of `ops/queries`, each run as it is over lines of golden's kind.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::json;

use super::{
    Client, MINUTE_MS,
    insights::{query, rows},
    now_ms,
};

const TRACE: &str = "1-5759e988-bd862e3fe1be46a994272793";

/// The files by name, without their extension.
fn files() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../ops/queries");
    let entries = std::fs::read_dir(&folder).expect("ops/queries is there");
    entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            let text = std::fs::read_to_string(folder.join(&name)).expect("a text");
            let stem = name.strip_suffix(".cwli").unwrap_or_else(|| panic!("{name} ends in .cwli"));
            (stem.to_owned(), text)
        })
        .collect()
}

/// A line as golden writes it; `error` is an error type and its detail.
fn line(id: u32, task: &str, path: &str, status: u16, error: Option<(&str, &str)>, latency_ms: f64) -> String {
    let level = if status >= 500 { "ERROR" } else { "INFO" };
    let error_type = error.map_or("null".to_owned(), |(error_type, _)| format!("\"{error_type}\""));
    let detail = error.map_or(String::new(), |(_, detail)| format!("\"detail\":{},", json!(detail)));
    format!(
        r#"{{"timestamp":"2026-11-21T10:00:00.000Z","level":"{level}","message":"request","requestId":"r{id}","traceId":"{}","method":"GET","path":"{path}","status":{status},"errorType":{error_type},"latencyMs":{latency_ms},{detail}"taskId":"{task}"}}"#,
        if id == 4 { TRACE } else { "1-0-0" },
    )
}

/// Two tasks over three minutes, the last of them bad for the database.
async fn lab() -> (Client, i64) {
    let client = Client::with_stream(1 << 20).await;
    client.ok("CreateLogStream", json!({ "logGroupName": "/ecs/golden", "logStreamName": "b" })).await;
    let minute = now_ms() - now_ms() % MINUTE_MS - 3 * MINUTE_MS;
    let full = "the database refused a session with SQLSTATE 53300: too many connections";
    let auth = "the database refused a session with SQLSTATE 28P01: password authentication failed";
    let events = |lines: &[(i64, String)]| -> Vec<(i64, String)> {
        lines.iter().map(|(after_ms, line)| (minute + after_ms, line.clone())).collect()
    };
    let started = r#"{"timestamp":"2026-11-21T10:00:00.000Z","level":"INFO","message":"the schema is up to date","errorType":null,"taskId":"task-a"}"#;
    let a = events(&[
        (0, started.to_owned()),
        (1000, line(1, "task-a", "/", 200, None, 1.5)),
        (2000, line(2, "task-a", "/work", 200, None, 250.25)),
        (MINUTE_MS, line(3, "task-a", "/db", 503, Some(("DatabaseConnectionsExhausted", full)), 12.0)),
        (MINUTE_MS + 10, line(4, "task-a", "/db", 503, Some(("DatabaseConnectionsExhausted", full)), 14.0)),
    ]);
    let b = events(&[
        (1500, line(5, "task-b", "/", 200, None, 2.5)),
        (MINUTE_MS + 5, line(6, "task-b", "/db", 503, Some(("DatabaseAuthenticationFailed", auth)), 8.0)),
        (MINUTE_MS + 7, line(7, "task-b", "/db", 503, Some(("DatabasePoolTimeout", "no session in 2 s")), 2000.5)),
        (MINUTE_MS + 9, line(8, "task-b", "/nowhere", 404, Some(("NotFound", "no such route")), 0.1)),
        (MINUTE_MS + 20, line(9, "task-b", "/db", 503, Some(("DatabaseConnectionsExhausted", full)), 13.0)),
    ]);
    for (stream, events) in [("a", a), ("b", b)] {
        let events: Vec<(i64, &str)> = events.iter().map(|(timestamp, line)| (*timestamp, line.as_str())).collect();
        client.put(stream, &events).await;
    }
    (client, minute)
}

fn moment(ms: i64) -> String {
    let moment =
        time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).expect("a time of this era");
    let format =
        time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    moment.format(format).expect("a time of this era")
}

#[tokio::test]
async fn each_file_answers_what_its_first_line_asks() {
    let (client, minute) = lab().await;
    let first_minute = moment(minute);
    let second_minute = moment(minute + MINUTE_MS);
    let fourth = moment(minute + MINUTE_MS + 10);
    let full = "the database refused a session with SQLSTATE 53300: too many connections";
    let auth = "the database refused a session with SQLSTATE 28P01: password authentication failed";
    let expected: BTreeMap<&str, Vec<String>> = [
        ("errors-by-type", vec![
            "errorType=DatabaseConnectionsExhausted errors=3 routes=1 tasks=2".to_owned(),
            "errorType=NotFound errors=1 routes=1 tasks=1".to_owned(),
            "errorType=DatabasePoolTimeout errors=1 routes=1 tasks=1".to_owned(),
            "errorType=DatabaseAuthenticationFailed errors=1 routes=1 tasks=1".to_owned(),
        ]),
        ("errors-by-task", vec![
            "taskId=task-b requests=5 serverErrors=3".to_owned(),
            "taskId=task-a requests=4 serverErrors=2".to_owned(),
        ]),
        ("slowest-routes", vec![
            "method=GET path=/db requests=5 mean=409.5 p95=2000.5 slowest=2000.5".to_owned(),
            "method=GET path=/work requests=1 mean=250.25 p95=250.25 slowest=250.25".to_owned(),
            "method=GET path=/ requests=2 mean=2 p95=2.5 slowest=2.5".to_owned(),
            "method=GET path=/nowhere requests=1 mean=0.1 p95=0.1 slowest=0.1".to_owned(),
        ]),
        ("p95-by-minute", vec![
            format!("minute={first_minute} requests=3 serverErrors=0 p50=2.5 p95=250.25 p99=250.25"),
            format!("minute={second_minute} requests=6 serverErrors=5 p50=12 p95=2000.5 p99=2000.5"),
        ]),
        ("request-by-id", vec![format!(
            "@timestamp={fourth} taskId=task-a method=GET path=/db status=503 errorType=DatabaseConnectionsExhausted \
             latencyMs=14 detail={full} traceId={TRACE}"
        )]),
        ("trace-lines", vec![format!(
            "@timestamp={fourth} taskId=task-a level=ERROR message=request requestId=r4 method=GET path=/db status=503 \
             errorType=DatabaseConnectionsExhausted latencyMs=14 detail={full}"
        )]),
        ("database-errors-by-sqlstate", vec![
            format!("sqlstate=53300 errorType=DatabaseConnectionsExhausted errors=3 tasks=2 example={full}"),
            "sqlstate=none errorType=DatabasePoolTimeout errors=1 tasks=1 example=no session in 2 s".to_owned(),
            format!("sqlstate=28P01 errorType=DatabaseAuthenticationFailed errors=1 tasks=1 example={auth}"),
        ]),
    ]
    .into();
    let files = files();
    assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), expected.keys().copied().collect::<Vec<_>>());
    for (name, text) in files {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("# ") && first.contains('?'), "{name} starts with the question it answers");
        let text = text.replace("REQUEST_ID", "r4").replace("TRACE_ID", TRACE);
        assert_eq!(rows(&query(&client, &text, json!({})).await), expected[name.as_str()], "{name}");
    }
}
