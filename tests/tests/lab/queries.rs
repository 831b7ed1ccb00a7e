//! The saved Logs Insights queries answer the right rows on the lab's own log.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use tests::{Lab, until};

/// Runs a query over the last ten minutes; each row by field.
fn run(lab: &Lab, query: &str) -> Vec<BTreeMap<String, String>> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let started = lab.aws(&[
        "logs",
        "start-query",
        "--log-group-name",
        lab.name("LOG_GROUP"),
        "--start-time",
        &(now - 600).to_string(),
        "--end-time",
        &(now + 60).to_string(),
        "--query-string",
        query,
    ]);
    let id = started["queryId"].as_str().expect("a query has an id");
    let results = until("the query is complete", 20, || {
        let results = lab.aws(&["logs", "get-query-results", "--query-id", id]);
        if results["status"] == "Complete" { Ok(results) } else { Err(results["status"].clone()) }
    });
    let field = |field: &Value| Some((field["field"].as_str()?.to_owned(), field["value"].as_str()?.to_owned()));
    let row = |row: &Value| row.as_array().into_iter().flatten().filter_map(field).collect();
    results["results"].as_array().into_iter().flatten().map(row).collect()
}

fn saved(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ops/queries");
    let file = fs::read_dir(&folder)
        .expect("the queries' folder")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.file_stem().is_some_and(|stem| stem == name))
        .unwrap_or_else(|| panic!("no query {name} in {}", folder.display()));
    fs::read_to_string(file).expect("a text")
}

#[test]
fn the_saved_queries_answer_from_the_labs_own_log() {
    let lab = Lab::up();
    lab.until_applied(lab.set_mode(r#"{"mode":"return_500","match":{"path":"/work"}}"#));
    (0..5).for_each(|_| assert_eq!(lab.get("/work?ms=1").status, 500));
    let db = lab.get("/db");
    let request_id = db.header("x-request-id").expect("every reply has one").to_owned();
    until("the last line has arrived", 10, || {
        let lines = lab.log_messages(&format!("\"{request_id}\""));
        if lines.is_empty() { Err("not yet") } else { Ok(()) }
    });

    let rows = run(&lab, &saved("errors-by-type"));
    let injected = rows.iter().find(|row| row.values().any(|value| value == "InjectedFailure"));
    assert!(injected.is_some_and(|row| row.values().any(|value| value == "5")), "{rows:?}");
    let rows = run(&lab, &saved("slowest-routes"));
    assert!(rows.iter().any(|row| row.values().any(|value| value == "/work")), "{rows:?}");
    let rows = run(&lab, &saved("p95-by-minute"));
    assert!(!rows.is_empty(), "a minute has passed in part at least");
    let rows = run(&lab, &saved("request-by-id").replace("REQUEST_ID", &request_id));
    assert_eq!(rows.len(), 1, "{rows:?}");
    let trace = db.header("x-amzn-trace-id").expect("every reply names its trace").to_owned();
    let id = trace.split(';').find_map(|field| field.strip_prefix("Root=")).expect("the root is the trace").to_owned();
    let rows = run(&lab, &saved("trace-lines").replace("TRACE_ID", &id));
    assert!(!rows.is_empty(), "the trace {id} has a line");

    lab.until_applied(lab.set_mode("stale_credentials"));
    lab.rotate_secret();
    until("the database refuses a log-in", 20, || match lab.get("/db") {
        reply if reply.status == 503 => Ok(()),
        reply => Err(format!("{} {}", reply.status, reply.body)),
    });
    until("the query finds its SQLSTATE", 20, || {
        let rows = run(&lab, &saved("database-errors-by-sqlstate"));
        if rows.iter().any(|row| row.values().any(|value| value == "28P01")) {
            Ok(())
        } else {
            Err(format!("{rows:?}"))
        }
    });
}
