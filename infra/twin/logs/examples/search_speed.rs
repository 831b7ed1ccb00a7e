//! Measures searches over many of golden's log lines: `cargo run -p twin-logs --example search_speed [lines]`.

#![allow(clippy::print_stdout, reason = "it prints figures for a person")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use twin_logs::Logs;
use twin_platform::{
    Account, Request, Service as _,
    seam::{LogLine, LogSink as _},
};

const GROUP: &str = "/ecs/golden";
const STREAM: &str = "golden/golden/0123456789abcdef0123456789abcdef";
/// Lines that fail: one in so many.
const FAILING: usize = 5_000;

fn line(index: usize) -> String {
    let (level, status, error) =
        if index.is_multiple_of(FAILING) { ("ERROR", 500, "\"InjectedFailure\"") } else { ("INFO", 200, "null") };
    format!(
        r#"{{"timestamp":"2026-11-21T10:00:00.000Z","level":"{level}","message":"request","requestId":"6f0c2a{index:026}","traceId":"1-5759e988-bd862e3fe1be46a994272793","method":"GET","path":"/work","status":{status},"errorType":{error},"latencyMs":{}.045,"taskId":"0123456789abcdef0123456789abcdef"}}"#,
        index % 997
    )
}

async fn call(logs: &Logs, action: &str, body: Value) -> Result<Value, Box<dyn Error>> {
    let mut request = Request {
        method: "POST".into(),
        uri: "/".into(),
        headers: Default::default(),
        body: body.to_string().into_bytes().into(),
    };
    request.headers.insert("x-amz-target", format!("Logs_20140328.{action}").parse()?);
    let response = logs.handle(request).await;
    if response.status != 200 {
        return Err(String::from_utf8_lossy(&response.body).into_owned().into());
    }
    Ok(serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

async fn filter(logs: &Arc<Logs>, pattern: &str) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let answer = call(logs, "FilterLogEvents", json!({ "logGroupName": GROUP, "filterPattern": pattern })).await?;
    let found = answer["events"].as_array().map_or(0, Vec::len);
    eprintln!("{:>8.0?}  {found:>6} found  {pattern}", start.elapsed());
    Ok(())
}

async fn query(logs: &Arc<Logs>, text: &str) -> Result<(), Box<dyn Error>> {
    let body = json!({ "logGroupName": GROUP, "queryString": text, "startTime": 0, "endTime": 99_999_999_999_i64 });
    let started = call(logs, "StartQuery", body).await?;
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let body = json!({ "queryId": started["queryId"], "maxItems": 1 });
        let answer = call(logs, "GetQueryResults", body).await?;
        if !matches!(answer["status"].as_str(), Some("Scheduled" | "Running")) {
            let listed = call(logs, "DescribeQueries", json!({ "maxResults": 1 })).await?;
            eprintln!("{:>6}ms  {}  {text}", listed["queries"][0]["queryDuration"], answer["status"]);
            return Ok(());
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let logs = Logs::with_capacity(Account::in_region("us-east-1"), 1 << 30);
    call(&logs, "CreateLogGroup", json!({ "logGroupName": GROUP })).await?;
    logs.create_stream(GROUP, STREAM).await?;
    let now_ms = i64::try_from(time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000)?;
    let start_ms = now_ms - i64::try_from(count / 10)? - 1000;
    let start = Instant::now();
    for first in (0..count).step_by(1000) {
        let lines = (first..count.min(first + 1000))
            .map(|index| Ok(LogLine { timestamp_ms: start_ms + i64::try_from(index / 10)?, message: line(index) }))
            .collect::<Result<_, Box<dyn Error>>>()?;
        logs.append(GROUP, STREAM, lines).await?;
    }
    eprintln!("{:>8.0?}  {count} lines of {} bytes put", start.elapsed(), line(0).len());
    for pattern in [
        "{ $.status >= 500 }",
        "{ $.status = 500 }",
        "{ $.errorType = \"InjectedFailure\" }",
        "{ $.latencyMs > 996 && $.path = \"/work\" }",
        "{ $.status >= 500 || $.level = \"ERROR\" }",
        "InjectedFailure",
        "%Injected[A-Z]%",
    ] {
        filter(&logs, pattern).await?;
    }
    for text in [
        "fields @message",
        "filter status >= 500 | stats count(*) by errorType",
        "filter message = 'request' | stats count(*), pct(latencyMs, 95) by bin(1m)",
        "filter @message like /Injected[A-Z]/ | sort @timestamp asc | limit 20",
        "fields latencyMs, path | sort latencyMs desc | limit 20",
    ] {
        query(&logs, text).await?;
    }
    Ok(())
}
