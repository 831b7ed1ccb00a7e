//! Searches over a million of golden's log lines. The group's bound is raised for that: 48 MiB hold a sixth of them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use time::OffsetDateTime;
use twin_logs::Logs;
use twin_platform::{
    Account,
    seam::{LogLine, LogSink as _},
};

use super::in_process::call;
use crate::figure::{Goal, Report};

const GROUP: &str = "/ecs/golden";
const STREAM: &str = "golden/golden/0123456789abcdef0123456789abcdef";
const LINES: usize = 1_000_000;
/// Of the lines, those that fail: one in so many.
const FAILING: usize = 5_000;
const ROUNDS: usize = 3;

/// A filter pattern of each kind, from a comparison to a text.
const PATTERNS: [&str; 4] =
    ["{ $.status >= 500 }", "{ $.status >= 500 || $.level = \"ERROR\" }", "InjectedFailure", "%Injected[A-Z]%"];

const QUERY: &str = "filter status >= 500 | stats count(*), pct(latencyMs, 95) by errorType, bin(1m)";

pub(super) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let logs = Logs::with_capacity(Account::in_region("us-east-1"), 1 << 30);
    let ask = async |action: &str, body: Value| call(logs.as_ref(), &format!("Logs_20140328.{action}"), body).await;
    ask("CreateLogGroup", json!({ "logGroupName": GROUP })).await?;
    logs.create_stream(GROUP, STREAM).await?;
    let now_ms = i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000)?;
    for first in (0..LINES).step_by(1000) {
        let lines = (first..first + 1000).map(|index| LogLine { timestamp_ms: now_ms - 1000, message: line(index) });
        logs.append(GROUP, STREAM, lines.collect()).await?;
    }

    let mut slowest = ("", Vec::new());
    for pattern in PATTERNS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let body = json!({ "logGroupName": GROUP, "filterPattern": pattern });
            let began = Instant::now();
            let answer = ask("FilterLogEvents", body).await?;
            rounds.push(began.elapsed().as_secs_f64());
            let found = answer["events"].as_array().map_or(0, Vec::len);
            ensure!(found == LINES / FAILING && answer["nextToken"].is_null(), "{pattern} found {found}");
        }
        if crate::figure::median(&rounds) > crate::figure::median(&slowest.1) || slowest.1.is_empty() {
            slowest = (pattern, rounds);
        }
    }
    let what = format!("filter-log-events over 1 million lines, the slowest of 4 patterns (`{}`), s", slowest.0);
    report.add("filter_log_events", &what, Goal::AtMost(2.0), slowest.1);

    let body = json!({ "logGroupName": GROUP, "queryString": QUERY, "startTime": 0, "endTime": now_ms / 1000 + 1 });
    let began = Instant::now();
    let id = ask("StartQuery", body).await?["queryId"].clone();
    let seconds = loop {
        let answer = ask("GetQueryResults", json!({ "queryId": id })).await?;
        match answer["status"].as_str().context("a query has a status")? {
            "Scheduled" | "Running" => tokio::time::sleep(Duration::from_millis(5)).await,
            "Complete" => break began.elapsed().as_secs_f64(),
            other => anyhow::bail!("the query is {other}"),
        }
    };
    report.add("insights_query", "a Logs Insights query over 1 million lines, s", Goal::None, vec![seconds]);
    Ok(())
}

fn line(index: usize) -> String {
    let (level, status, error) =
        if index.is_multiple_of(FAILING) { ("ERROR", 500, "\"InjectedFailure\"") } else { ("INFO", 200, "null") };
    format!(
        r#"{{"timestamp":"2026-11-21T10:00:00.000Z","level":"{level}","message":"request","requestId":"6f0c2a{index:026}","traceId":"1-5759e988-bd862e3fe1be46a994272793","method":"GET","path":"/work","status":{status},"errorType":{error},"latencyMs":{}.045,"taskId":"0123456789abcdef0123456789abcdef"}}"#,
        index % 997
    )
}
