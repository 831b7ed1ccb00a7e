//! `FilterLogEvents`: many streams in the order of time, by pattern. `aws logs tail` of CLI v2 is made of it.
//!
//! The store is locked only while a slice of references is copied; matching runs beside the async workers, so a search
//! over a million lines holds up neither writers nor other calls.

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use super::{
    Answer, answer,
    get::{PAGE_BYTES, PAGE_EVENTS, read_place},
    validate::{self, bad_token, invalid},
};
use crate::{
    Logs,
    pattern::Pattern,
    store::{Event, Group, Key, Order},
};

/// Events copied by reference under the lock at a time: about a millisecond.
const SLICE_EVENTS: usize = 16_384;
/// Most names in `logStreamNames`.
const MAX_STREAM_NAMES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    #[serde(default)]
    filter_pattern: String,
    next_token: Option<String>,
    limit: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    events: Vec<OutputEvent<'a>>,
    /// AWS answers an empty list since 2019.
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputEvent<'a> {
    log_stream_name: &'a str,
    timestamp: i64,
    message: &'a str,
    ingestion_time: i64,
    event_id: String,
}

/// Which streams are searched.
enum Streams {
    Every,
    Prefix(String),
    Named(HashSet<String>),
}

pub(super) async fn filter(logs: &Logs, input: Filter, now_ms: i64) -> Answer {
    let limit = validate::limit(input.limit, PAGE_EVENTS)?;
    let pattern = Pattern::parse(&input.filter_pattern).map_err(|error| invalid(error.to_string()))?;
    let streams = match (input.log_stream_names, input.log_stream_name_prefix) {
        (Some(_), Some(_)) => {
            return Err(invalid("logStreamNames and logStreamNamePrefix cannot both be specified; give one"));
        }
        (Some(names), None) if names.is_empty() || names.len() > MAX_STREAM_NAMES => {
            return Err(invalid(format!(
                "logStreamNames has {} members; 1 to {MAX_STREAM_NAMES} are allowed",
                names.len()
            )));
        }
        (Some(names), None) => Streams::Named(names.into_iter().collect()),
        (None, Some(prefix)) => Streams::Prefix(prefix),
        (None, None) => Streams::Every,
    };
    let group = validate::group_of(input.log_group_name, input.log_group_identifier)?;
    // Both times are inclusive here, unlike in GetLogEvents.
    let mut after = Key { timestamp_ms: input.start_time.unwrap_or(0), sequence: 0 };
    let before = Key { timestamp_ms: input.end_time.unwrap_or(i64::MAX), sequence: u64::MAX };
    if let Some(token) = &input.next_token {
        after = after.max(read_place(token).ok_or_else(bad_token)?);
    }
    if let Streams::Named(names) = &streams {
        let mut store = logs.store();
        let group = store.group(&group, now_ms)?;
        names.iter().try_for_each(|name| group.stream(name).map(drop))?;
    }
    let mut page = Page { limit, bytes: 0, events: Vec::new(), full: false };
    let mut pattern = pattern;
    loop {
        let slice = {
            let mut store = logs.store();
            slice(store.group(&group, now_ms)?, &streams, after, before)
        };
        let Some(last) = slice.last().map(|event| event.key) else { break };
        let ended = slice.len() < SLICE_EVENTS;
        let work = move || {
            page.take_from(slice, &pattern);
            (page, pattern)
        };
        (page, pattern) = tokio::task::spawn_blocking(work).await.map_err(|error| AwsError {
            status: 500,
            code: "ServiceUnavailableException".into(),
            message: format!("the search ended early: {error}"),
        })?;
        after = last;
        if page.full || ended {
            break;
        }
    }
    // A full page always has an event, so the token always moves on.
    let next_token = page.events.last().filter(|_| page.full).map(|event| event.id());
    let events = page
        .events
        .iter()
        .map(|event| OutputEvent {
            log_stream_name: &event.stream,
            timestamp: event.key.timestamp_ms,
            message: &event.message,
            ingestion_time: event.ingestion_ms,
            event_id: event.id(),
        })
        .collect();
    answer(&Output { events, searched_log_streams: [], next_token })
}

struct Page {
    limit: usize,
    bytes: usize,
    events: Vec<Arc<Event>>,
    /// A further event matched but had no room.
    full: bool,
}

impl Page {
    fn take_from(&mut self, slice: Vec<Arc<Event>>, pattern: &Pattern) {
        for event in slice {
            if pattern.matches(&event.message) {
                let bytes = self.bytes + event.billed_bytes();
                if self.events.len() == self.limit || bytes > PAGE_BYTES {
                    self.full = true;
                    return;
                }
                self.bytes = bytes;
                self.events.push(event);
            }
        }
    }
}

fn slice(group: &Group, streams: &Streams, after: Key, before: Key) -> Vec<Arc<Event>> {
    let within = group.between(after, before);
    match streams {
        Streams::Every => within.take(SLICE_EVENTS).cloned().collect(),
        Streams::Prefix(prefix) => {
            within.filter(|event| event.stream.starts_with(prefix.as_str())).take(SLICE_EVENTS).cloned().collect()
        }
        // One stream has its own order, so the others need not be looked at.
        Streams::Named(names) if names.len() == 1 => names
            .iter()
            .filter_map(|name| group.stream(name).ok())
            .flat_map(|stream| stream.between(after, before, Order::OldestFirst))
            .take(SLICE_EVENTS)
            .cloned()
            .collect(),
        Streams::Named(names) => {
            within.filter(|event| names.contains(&*event.stream)).take(SLICE_EVENTS).cloned().collect()
        }
    }
}
