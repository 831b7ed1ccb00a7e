//! The actions, one file per group of them. AWS JSON 1.1: the action is in `X-Amz-Target`, the body is a JSON object.

mod filter;
mod get;
mod groups;
mod metric_filters;
mod put;
mod queries;
mod query_definitions;
mod streams;
mod tags;
mod validate;

use serde::Serialize;
use twin_platform::{
    AwsError, Request, Response,
    json::{self, read},
};

pub(crate) use put::pieces;
pub(crate) use query_definitions::Definition;

use crate::{Logs, now_ms};

const TARGET_PREFIX: &str = "Logs_20140328.";

type Answer = Result<Response, AwsError>;

pub(crate) async fn handle(logs: &Logs, request: Request) -> Response {
    let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.strip_prefix(TARGET_PREFIX).unwrap_or_default().to_owned();
    dispatch(logs, &action, &request.body).await.unwrap_or_else(|error| typed(error.json()))
}

async fn dispatch(logs: &Logs, action: &str, body: &[u8]) -> Answer {
    let now_ms = now_ms();
    match action {
        "CreateLogGroup" => groups::create(logs, read(body)?, now_ms),
        "DeleteLogGroup" => groups::delete(logs, read(body)?),
        "DescribeLogGroups" => groups::describe(logs, read(body)?, now_ms),
        "PutRetentionPolicy" => groups::put_retention(logs, read(body)?, now_ms),
        "DeleteRetentionPolicy" => groups::delete_retention(logs, read(body)?, now_ms),
        "CreateLogStream" => streams::create(logs, read(body)?, now_ms),
        "DeleteLogStream" => streams::delete(logs, read(body)?, now_ms),
        "DescribeLogStreams" => streams::describe(logs, read(body)?, now_ms),
        "PutLogEvents" => put::put(logs, read(body)?, now_ms),
        "GetLogEvents" => get::get(logs, read(body)?, now_ms),
        "FilterLogEvents" => filter::filter(logs, read(body)?, now_ms).await,
        "PutMetricFilter" => metric_filters::put(logs, read(body)?, now_ms),
        "DescribeMetricFilters" => metric_filters::describe(logs, read(body)?, now_ms),
        "DeleteMetricFilter" => metric_filters::delete(logs, read(body)?, now_ms),
        "TestMetricFilter" => metric_filters::test(read(body)?),
        "StartQuery" => queries::start(logs, read(body)?, now_ms),
        "GetQueryResults" => queries::results(logs, read(body)?, now_ms),
        "StopQuery" => queries::stop(logs, read(body)?, now_ms),
        "DescribeQueries" => queries::describe(logs, read(body)?, now_ms),
        "GetLogRecord" => queries::record(logs, read(body)?, now_ms),
        "PutQueryDefinition" => query_definitions::put(logs, read(body)?, now_ms),
        "DescribeQueryDefinitions" => query_definitions::describe(logs, read(body)?),
        "DeleteQueryDefinition" => query_definitions::delete(logs, read(body)?),
        "TagResource" => tags::tag(logs, read(body)?, now_ms),
        "UntagResource" => tags::untag(logs, read(body)?, now_ms),
        "ListTagsForResource" => tags::list(logs, read(body)?, now_ms),
        "" => Err(AwsError::client("UnknownOperationException", "X-Amz-Target names no action of Logs_20140328")),
        other => Err(AwsError::not_implemented("logs", other)),
    }
}

fn answer<T: Serialize>(output: &T) -> Answer {
    Ok(typed(Response::json(200, json::write(output)?)))
}

/// An action without output answers an empty body.
fn done() -> Answer {
    Ok(typed(Response::json(200, "")))
}

fn typed(mut response: Response) -> Response {
    if let Ok(kind) = "application/x-amz-json-1.1".parse() {
        response.headers.insert("content-type", kind);
    }
    response
}
