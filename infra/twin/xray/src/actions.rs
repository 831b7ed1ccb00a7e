//! The actions, one file per group of them. REST with JSON: every action is a POST to a path of its own.

mod graph;
mod put;
mod sampling;
mod summaries;
mod traces;

use serde::{Serialize, de::DeserializeOwned};
use twin_platform::{AwsError, Request, Response};

use crate::{TraceId, XRay};

type Answer = Result<Response, AwsError>;

/// Paths of actions that are known and not imitated, with their names where the path does not say it.
const NAMED: [(&str, &str); 8] = [
    ("EncryptionConfig", "GetEncryptionConfig"),
    ("Groups", "GetGroups"),
    ("Insight", "GetInsight"),
    ("InsightEvents", "GetInsightEvents"),
    ("InsightImpactGraph", "GetInsightImpactGraph"),
    ("InsightSummaries", "GetInsightSummaries"),
    ("SamplingStatisticSummaries", "GetSamplingStatisticSummaries"),
    ("TimeSeriesServiceStatistics", "GetTimeSeriesServiceStatistics"),
];

pub(crate) async fn handle(xray: &XRay, request: Request) -> Response {
    let path = path_of(&request.uri).trim_matches('/').to_owned();
    let answer = match request.method.as_str() {
        "POST" => dispatch(xray, &path, &request.body).await,
        method => Err(AwsError::not_implemented("xray", &format!("{method} /{path}"))),
    };
    answer.unwrap_or_else(|error| refusal(&error))
}

async fn dispatch(xray: &XRay, path: &str, body: &[u8]) -> Answer {
    match path {
        "TraceSegments" => put::segments(xray, read(body)?),
        "TelemetryRecords" => put::telemetry(read(body)?),
        "TraceSummaries" => summaries::get(xray, read(body)?).await,
        "Traces" => traces::batch_get(xray, &read(body)?),
        "ServiceGraph" => graph::of_service(xray, read(body)?).await,
        "TraceGraph" => graph::of_traces(xray, &read(body)?),
        "GetSamplingRules" => sampling::rules(xray, &read(body)?),
        "SamplingTargets" => sampling::targets(xray, &read(body)?),
        other => {
            let named = NAMED.iter().find(|(path, _)| *path == other);
            Err(AwsError::not_implemented("xray", named.map_or(other, |(_, action)| action)))
        }
    }
}

/// The path of a URI, absolute or not, without its query.
fn path_of(uri: &str) -> &str {
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => uri,
    };
    path.split('?').next().unwrap_or(path)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| invalid(format!("the request cannot be read: {error}")))
}

fn answer<T: Serialize>(output: &T) -> Answer {
    let body = serde_json::to_vec(output).map_err(|error| failure(error.to_string()))?;
    Ok(Response::rest_json(200, body))
}

/// The member is called `Message` in X-Ray's model; clients that have no model look for `message`.
fn refusal(error: &AwsError) -> Response {
    let AwsError { code, message, .. } = error;
    let mut response = error.json();
    response.body = serde_json::json!({ "__type": code, "message": message, "Message": message }).to_string().into();
    if let Ok(kind) = "application/json".parse() {
        response.headers.insert("content-type", kind);
    }
    response
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidRequestException", message)
}

fn failure(message: String) -> AwsError {
    AwsError { status: 500, code: "InternalFailure".into(), message }
}

/// Most traces in one call (API reference, `BatchGetTraces` and `GetTraceGraph`: "Minimum number of 1 item. Maximum number of 5 items").
const MAX_TRACES: usize = 5;

/// Identifiers of the traces that are asked for.
fn trace_ids(texts: &[String]) -> Result<Vec<TraceId>, AwsError> {
    if !(1..=MAX_TRACES).contains(&texts.len()) {
        return Err(invalid(format!(
            "TraceIds has {} members; at least 1 and at most {MAX_TRACES} are taken",
            texts.len()
        )));
    }
    let read = |text: &String| TraceId::parse(text).ok_or_else(|| invalid(format!("Invalid trace id: {text}")));
    texts.iter().map(read).collect()
}

/// A time range in seconds since the epoch, not longer than `most_hours`.
fn range(start: f64, end: f64, most_hours: f64) -> Result<std::ops::RangeInclusive<f64>, AwsError> {
    if !start.is_finite() || !end.is_finite() || start > end {
        return Err(invalid("StartTime must not be after EndTime"));
    }
    if end - start > most_hours * 3600.0 {
        return Err(invalid(format!("Time range cannot be longer than {most_hours} hours")));
    }
    Ok(start..=end)
}

/// Runs a look at many traces beside the async workers, which have requests to serve.
async fn aside<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T, AwsError> {
    tokio::task::spawn_blocking(look).await.map_err(|error| failure(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_found_in_every_form_of_a_uri() {
        for uri in ["/TraceSummaries", "/TraceSummaries?x=/y", "https://xray.eu-west-1.amazonaws.com/TraceSummaries"] {
            assert_eq!(path_of(uri), "/TraceSummaries");
        }
        assert_eq!(path_of("http://localhost:4566"), "/");
    }
}
