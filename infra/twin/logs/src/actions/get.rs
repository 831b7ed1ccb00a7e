//! `GetLogEvents`: one stream, forwards and backwards.
//!
//! A token is a place between two events: `f/…` reads on after it, `b/…` reads back before it. At the end of the stream the
//! token that was given comes back, which is how clients know.

use serde::{Deserialize, Serialize};

use super::{
    Answer, answer,
    validate::{self, bad_token},
};
use crate::{
    Logs,
    store::{Key, Order},
};

/// Most events in a page, and most bytes as AWS counts them.
pub(super) const PAGE_EVENTS: usize = 10_000;
pub(super) const PAGE_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    #[serde(default)]
    start_from_head: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    events: Vec<OutputEvent<'a>>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputEvent<'a> {
    timestamp: i64,
    message: &'a str,
    ingestion_time: i64,
}

pub(super) fn get(logs: &Logs, input: Get, now_ms: i64) -> Answer {
    let limit = validate::limit(input.limit, PAGE_EVENTS)?;
    let group = validate::group_of(input.log_group_name, input.log_group_identifier)?;
    // startTime is inclusive, endTime exclusive; sequence numbers start at 1, so 0 stands before a moment's first event.
    let mut after = Key { timestamp_ms: input.start_time.unwrap_or(0), sequence: 0 };
    let mut before = Key { timestamp_ms: input.end_time.unwrap_or(i64::MAX), sequence: 0 };
    let mut order = if input.start_from_head { Order::OldestFirst } else { Order::NewestFirst };
    if let Some(token) = &input.next_token {
        let (direction, place) = read_token(token).ok_or_else(bad_token)?;
        order = direction;
        match direction {
            Order::OldestFirst => after = after.max(place),
            Order::NewestFirst => before = before.min(place),
        }
    }
    let mut store = logs.store();
    let stream = store.group(&group, now_ms)?.stream(&input.log_stream_name)?;
    let mut bytes = 0;
    let mut page: Vec<_> = stream
        .between(after, before, order)
        .take(limit)
        .take_while(|event| {
            bytes += event.billed_bytes();
            bytes <= PAGE_BYTES
        })
        .collect();
    if order == Order::NewestFirst {
        page.reverse();
    }
    let (backward, forward) = match (page.first(), page.last()) {
        (Some(first), Some(last)) => (first.key, last.key),
        // Nothing there: the given place stays, and the other direction starts on its other side.
        _ if order == Order::OldestFirst => (Key { sequence: after.sequence.saturating_add(1), ..after }, after),
        _ => (before, Key { sequence: before.sequence.saturating_sub(1), ..before }),
    };
    let forward_place = if page.is_empty() && input.next_token.is_none() { after } else { forward };
    let events = page
        .iter()
        .map(|event| OutputEvent {
            timestamp: event.key.timestamp_ms,
            message: &event.message,
            ingestion_time: event.ingestion_ms,
        })
        .collect();
    answer(&Output {
        events,
        next_forward_token: write_token('f', forward_place),
        next_backward_token: write_token('b', backward),
    })
}

fn write_token(direction: char, place: Key) -> String {
    format!("{direction}/{:026}{:030}/s", place.timestamp_ms, place.sequence)
}

fn read_token(token: &str) -> Option<(Order, Key)> {
    let place = token.get(2..)?.strip_suffix("/s")?;
    let order = match token.get(..2)? {
        "f/" => Order::OldestFirst,
        "b/" => Order::NewestFirst,
        _ => return None,
    };
    Some((order, read_place(place)?))
}

/// The key in an event id's fifty-six digits.
pub(super) fn read_place(digits: &str) -> Option<Key> {
    if digits.len() != 56 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (time, sequence) = digits.split_at(26);
    Some(Key { timestamp_ms: time.parse().ok()?, sequence: sequence.parse().ok()? })
}
