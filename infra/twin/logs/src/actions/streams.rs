//! Log streams.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use super::{
    Answer, answer, done,
    groups::DESCRIBE_LIMIT,
    validate::{self, bad_token, invalid},
};
use crate::{
    Logs,
    store::{Event, Stream},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    log_group_name: String,
    log_stream_name: String,
}

pub(super) fn create(logs: &Logs, input: Named, now_ms: i64) -> Answer {
    validate::stream_name(&input.log_stream_name)?;
    if logs.store().group(&input.log_group_name, now_ms)?.create_stream(&input.log_stream_name, now_ms) {
        done()
    } else {
        Err(AwsError::client("ResourceAlreadyExistsException", "The specified log stream already exists"))
    }
}

pub(super) fn delete(logs: &Logs, input: Named, now_ms: i64) -> Answer {
    logs.store().group(&input.log_group_name, now_ms)?.delete_stream(&input.log_stream_name)?;
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    #[serde(default)]
    order_by: OrderBy,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<i64>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
enum OrderBy {
    #[default]
    LogStreamName,
    LastEventTime,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    log_streams: Vec<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    log_stream_name: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<i64>,
    upload_sequence_token: &'static str,
    arn: String,
    /// Always 0 in AWS since 2019.
    stored_bytes: u64,
}

/// Streams sort by this; without an order by time the first part is the same for all.
type Place<'a> = (i64, &'a str);

pub(super) fn describe(logs: &Logs, input: Describe, now_ms: i64) -> Answer {
    let limit = validate::limit(input.limit, DESCRIBE_LIMIT)?;
    if input.order_by == OrderBy::LastEventTime && input.log_stream_name_prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let name = validate::group_of(input.log_group_name, input.log_group_identifier)?;
    let mut store = logs.store();
    let group = store.group(&name, now_ms)?;
    let after = input.next_token.as_deref().map(read_token).transpose()?;
    let mut places: Vec<(Place<'_>, &Stream)> = group
        .streams
        .iter()
        .filter(|(name, _)| input.log_stream_name_prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix)))
        .map(|(name, stream)| ((time_of(stream, input.order_by), name.as_ref()), stream))
        .filter(|(place, _)| after.is_none_or(|after| if input.descending { *place < after } else { *place > after }))
        .collect();
    if input.descending {
        places.sort_unstable_by_key(|(place, _)| Reverse(*place));
    } else {
        places.sort_unstable_by_key(|(place, _)| *place);
    }
    let more = places.len() > limit;
    places.truncate(limit);
    let next_token = places.last().filter(|_| more).map(|((time, name), _)| format!("{time}:{name}"));
    let log_streams = places
        .into_iter()
        .map(|((_, stream_name), stream)| Description {
            log_stream_name: stream_name.to_owned(),
            creation_time: stream.created_ms,
            first_event_timestamp: stream.first().map(timestamp),
            last_event_timestamp: stream.last().map(timestamp),
            last_ingestion_time: stream.last_ingestion_ms,
            upload_sequence_token: super::put::SEQUENCE_TOKEN,
            arn: logs.account.arn("logs", &format!("log-group:{name}:log-stream:{stream_name}")),
            stored_bytes: 0,
        })
        .collect();
    answer(&Described { log_streams, next_token })
}

fn timestamp(event: &Event) -> i64 {
    event.key.timestamp_ms
}

fn time_of(stream: &Stream, order: OrderBy) -> i64 {
    match order {
        OrderBy::LogStreamName => 0,
        OrderBy::LastEventTime => stream.last().map_or(0, timestamp),
    }
}

fn read_token(token: &str) -> Result<Place<'_>, AwsError> {
    let (time, name) = token.split_once(':').ok_or_else(bad_token)?;
    Ok((time.parse().map_err(|_| bad_token())?, name))
}
