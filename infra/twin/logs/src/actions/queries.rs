//! Logs Insights: `StartQuery`, `GetQueryResults`, `StopQuery`, `DescribeQueries`, `GetLogRecord`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use twin_platform::{AwsError, Response};

use super::{
    Answer, answer,
    get::read_place,
    typed,
    validate::{self, bad_token, invalid},
};
use crate::{
    Logs,
    insights::{
        MAX_LENGTH, MAX_LIMIT, Query, QueryError, Sources, flattened,
        jobs::{Order, Status},
    },
    store::Key,
};

/// Most groups in one query.
const MAX_GROUPS: usize = 50;
/// Most rows in one answer.
const PAGE_ROWS: usize = 10_000;
/// Most queries in one answer of `DescribeQueries`.
const PAGE_QUERIES: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    query_language: Option<String>,
    log_group_name: Option<String>,
    log_group_names: Option<Vec<String>>,
    log_group_identifiers: Option<Vec<String>>,
    start_time: i64,
    end_time: i64,
    query_string: String,
    limit: Option<i64>,
}

pub(super) fn start(logs: &Logs, input: Start, now_ms: i64) -> Answer {
    language("StartQuery", input.query_language.as_deref())?;
    if input.query_string.chars().count() > MAX_LENGTH {
        return Err(invalid(format!("queryString has more than {MAX_LENGTH} characters")));
    }
    let groups = match (input.log_group_name, input.log_group_names, input.log_group_identifiers) {
        (Some(name), None, None) => vec![name],
        (None, Some(names), None) => names,
        (None, None, Some(names)) => names.iter().map(|name| validate::name_in(name).to_owned()).collect(),
        _ => {
            let message = "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers has to be specified";
            return Err(invalid(message));
        }
    };
    if groups.is_empty() || groups.len() > MAX_GROUPS {
        return Err(invalid(format!("{} log groups; 1 to {MAX_GROUPS} can be queried", groups.len())));
    }
    if input.start_time < 0 || input.end_time < input.start_time {
        return Err(invalid(
            "Query's end date and time is either before the log groups creation time or its start time",
        ));
    }
    let limit = input.limit.map(|limit| validate::limit(Some(limit), MAX_LIMIT)).transpose()?;
    let query = match Query::parse(&input.query_string) {
        Ok(query) => query,
        Err(error) => return Ok(malformed(&error)),
    };
    {
        let mut store = logs.store();
        groups.iter().try_for_each(|name| store.group(name, now_ms).map(drop))?;
    }
    let order = Order {
        text: input.query_string,
        query,
        sources: Sources { account: logs.account.id.clone(), groups },
        from_ms: milliseconds(input.start_time),
        // Inclusive to the second's end, unless the caller gave milliseconds, as the console does.
        to_ms: milliseconds(input.end_time).saturating_add(if is_seconds(input.end_time) { 999 } else { 0 }),
        limit,
    };
    let id = logs.new_id(now_ms);
    match logs.jobs.start(std::sync::Arc::clone(&logs.store), order, id, now_ms) {
        Some(id) => answer(&json!({ "queryId": id })),
        None => {
            Err(AwsError::client("LimitExceededException", "Account maximum query concurrency limit of [100] reached."))
        }
    }
}

pub(super) fn language(action: &str, asked: Option<&str>) -> Result<(), AwsError> {
    match asked {
        None | Some("CWLI") => Ok(()),
        Some(other @ ("SQL" | "PPL")) => {
            Err(AwsError::not_implemented("logs", &format!("{action} with queryLanguage {other}")))
        }
        Some(other) => Err(invalid(format!("queryLanguage '{other}' is not CWLI, SQL or PPL"))),
    }
}

/// Past this a time is in milliseconds: AWS documents seconds and takes both.
fn is_seconds(time: i64) -> bool {
    time < 100_000_000_000
}

fn milliseconds(time: i64) -> i64 {
    if is_seconds(time) { time * 1000 } else { time }
}

/// `MalformedQueryException` with the place in the text.
pub(super) fn malformed(error: &QueryError) -> Response {
    let code = "MalformedQueryException";
    let message = error.to_string();
    let body = json!({
        "__type": code,
        "message": message,
        "queryCompileError": {
            "location": { "startCharOffset": error.start, "endCharOffset": error.end },
            "message": message,
        },
    });
    let mut response = typed(Response::json(400, body.to_string()));
    if let Ok(code) = code.parse() {
        response.headers.insert("x-amzn-errortype", code);
    }
    response
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Results {
    query_id: String,
    next_token: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultsOutput<'a> {
    query_language: &'static str,
    results: Vec<Vec<Field<'a>>>,
    statistics: serde_json::Value,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
struct Field<'a> {
    field: &'a str,
    value: &'a str,
}

fn no_query() -> AwsError {
    AwsError::client("ResourceNotFoundException", "The specified query does not exist.")
}

pub(super) fn results(logs: &Logs, input: Results, now_ms: i64) -> Answer {
    let job = logs.jobs.find(&input.query_id, now_ms).ok_or_else(no_query)?;
    let from: usize = input.next_token.as_deref().map_or(Ok(0), |token| token.parse().map_err(|_| bad_token()))?;
    let most = validate::limit(input.max_items, PAGE_ROWS)?;
    let progress = job.progress();
    let rows = progress.results.iter().skip(from).take(most);
    let results: Vec<_> =
        rows.map(|row| row.iter().map(|(field, value)| Field { field, value }).collect::<Vec<_>>()).collect();
    let end = from.saturating_add(results.len());
    let statistics = progress.statistics;
    answer(&ResultsOutput {
        query_language: "CWLI",
        next_token: (end < progress.results.len()).then(|| end.to_string()),
        results,
        status: progress.status.as_str(),
        statistics: json!({
            "recordsMatched": float(statistics.records_matched),
            "recordsScanned": float(statistics.records_scanned),
            "bytesScanned": float(statistics.bytes_scanned),
            "estimatedRecordsSkipped": 0.0,
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(job.order.sources.groups.len() as u64),
        }),
    })
}

#[allow(clippy::cast_precision_loss, reason = "the API has doubles here")]
fn float(count: u64) -> f64 {
    count as f64
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stop {
    query_id: String,
}

pub(super) fn stop(logs: &Logs, input: Stop, now_ms: i64) -> Answer {
    let job = logs.jobs.find(&input.query_id, now_ms).ok_or_else(no_query)?;
    if !job.stop() {
        return Err(invalid("The specified query is not running."));
    }
    answer(&json!({ "success": true }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name: Option<String>,
    status: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    query_language: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    query_language: &'static str,
    query_id: String,
    query_string: String,
    status: &'static str,
    create_time: i64,
    log_group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_duration: Option<u128>,
    bytes_scanned: f64,
}

pub(super) fn describe(logs: &Logs, input: Describe, now_ms: i64) -> Answer {
    const STATUSES: [Status; 6] =
        [Status::Scheduled, Status::Running, Status::Complete, Status::Failed, Status::Cancelled, Status::Timeout];
    if let Some(status) = &input.status
        && status != "Unknown"
        && !STATUSES.iter().any(|known| known.as_str() == status)
    {
        return Err(invalid(format!("status '{status}' is not one of {}", STATUSES.map(Status::as_str).join(", "))));
    }
    let most = validate::limit(input.max_results, PAGE_QUERIES)?;
    let from: usize = input.next_token.as_deref().map_or(Ok(0), |token| token.parse().map_err(|_| bad_token()))?;
    let mut queries: Vec<Description> = logs
        .jobs
        .list(now_ms)
        .iter()
        .filter(|job| input.log_group_name.as_ref().is_none_or(|name| job.order.sources.groups.contains(name)))
        .map(|job| {
            let progress = job.progress();
            Description {
                query_language: "CWLI",
                query_id: job.id.clone(),
                query_string: job.order.text.clone(),
                status: progress.status.as_str(),
                create_time: job.created_ms,
                log_group_name: job.order.sources.groups.first().cloned().unwrap_or_default(),
                query_duration: progress.duration.map(|duration| duration.as_millis()),
                bytes_scanned: float(progress.statistics.bytes_scanned),
            }
        })
        .filter(|query| input.status.as_deref().is_none_or(|status| query.status == status))
        .filter(|query| input.query_language.as_deref().is_none_or(|language| query.query_language == language))
        .skip(from)
        .collect();
    let more = queries.len() > most;
    queries.truncate(most);
    let mut output = json!({ "queries": queries });
    if more {
        output["nextToken"] = (from + most).to_string().into();
    }
    answer(&output)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pointer {
    log_record_pointer: String,
    #[serde(default)]
    unmask: bool,
}

pub(super) fn record(logs: &Logs, input: Pointer, now_ms: i64) -> Answer {
    if input.unmask {
        return Err(AwsError::not_implemented("logs", "GetLogRecord with unmask"));
    }
    let wrong = || invalid("The specified logRecordPointer is invalid.");
    let (place, name) = input.log_record_pointer.split_at_checked(56).ok_or_else(wrong)?;
    let key = read_place(place).ok_or_else(wrong)?;
    let mut store = logs.store();
    let group = store.group(name, now_ms)?;
    let before = Key { sequence: key.sequence.saturating_add(1), ..key };
    let after = Key { sequence: key.sequence.checked_sub(1).ok_or_else(wrong)?, ..key };
    let event = group.between(after, before).next().ok_or_else(|| {
        AwsError::client("ResourceNotFoundException", "The log event that the pointer names is no longer kept.")
    })?;
    let mut fields: BTreeMap<String, String> = flattened(&event.message);
    let own = [
        ("@timestamp", event.key.timestamp_ms.to_string()),
        ("@ingestionTime", event.ingestion_ms.to_string()),
        ("@message", event.message.to_string()),
        ("@logStream", event.stream.to_string()),
        ("@log", format!("{}:{name}", logs.account.id)),
        ("@ptr", input.log_record_pointer.clone()),
    ];
    fields.extend(own.map(|(field, value)| (field.to_owned(), value)));
    answer(&json!({ "logRecord": fields }))
}
