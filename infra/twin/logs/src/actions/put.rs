//! `PutLogEvents`: the limits of the batch, and what is rejected within one that is taken.

use serde::{Deserialize, Serialize};

use super::{
    Answer, answer,
    validate::{self, invalid},
};
use crate::{Logs, store::OVERHEAD_BYTES};

/// Largest batch: messages in UTF-8 plus [`OVERHEAD_BYTES`] each (API reference).
const MAX_BATCH_BYTES: usize = 1 << 20;
/// Largest event: 1 MiB since April 2025, 256 KiB before. Its overhead counts, as it does in the batch.
const MAX_EVENT_BYTES: usize = 1 << 20;
const MAX_BATCH_EVENTS: usize = 10_000;
const HOUR_MS: i64 = 60 * 60 * 1000;
/// The accepted events of one batch may lie this far apart.
const MAX_SPAN_MS: i64 = 24 * HOUR_MS;
/// Older events are "too old".
const MAX_AGE_MS: i64 = 14 * 24 * HOUR_MS;
/// Later events are "too new".
const MAX_AHEAD_MS: i64 = 2 * HOUR_MS;

/// AWS ignores sequence tokens but still answers one.
pub(super) const SEQUENCE_TOKEN: &str = "49000000000000000000000000000000000000000000000000000001";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
    timestamp: i64,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    next_sequence_token: &'static str,
    #[serde(skip_serializing_if = "Rejected::is_empty")]
    rejected_log_events_info: Rejected,
}

/// Which part of the batch was not taken; the batch is in order, so each part is its beginning or its end.
#[derive(Default, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Rejected {
    /// First event that is too new, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    too_new_log_event_start_index: Option<usize>,
    /// Last event that is too old, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    too_old_log_event_end_index: Option<usize>,
    /// Last event that the group's retention no longer keeps, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_log_event_end_index: Option<usize>,
}

impl Rejected {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn put(logs: &Logs, input: Put, now_ms: i64) -> Answer {
    validate::group_name(&input.log_group_name)?;
    validate::stream_name(&input.log_stream_name)?;
    let events = input.log_events;
    check_sizes(&events)?;
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let mut store = logs.store();
    let group = store.group(&input.log_group_name, now_ms)?;
    group.stream(&input.log_stream_name)?;
    let before = |moment: i64| events.partition_point(|event| event.timestamp < moment);
    let too_old = before(now_ms - MAX_AGE_MS);
    let expired = group.horizon_ms(now_ms).map_or(0, before);
    let too_new = before(now_ms + MAX_AHEAD_MS + 1);
    let accepted = too_old.max(expired)..too_new;
    if let [first, .., last] = &events[accepted.clone()]
        && last.timestamp - first.timestamp > MAX_SPAN_MS
    {
        let message = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
        return Err(invalid(message));
    }
    let rejected_log_events_info = Rejected {
        too_new_log_event_start_index: (too_new < events.len()).then_some(too_new),
        too_old_log_event_end_index: (too_old > 0).then_some(too_old),
        expired_log_event_end_index: (expired > 0).then_some(expired),
    };
    let lines =
        events.into_iter().take(accepted.end).skip(accepted.start).map(|event| (event.timestamp, event.message));
    let data = group.append(&input.log_stream_name, lines, now_ms, logs.minute_ms())?;
    drop(store);
    logs.emit(data);
    answer(&Output { next_sequence_token: SEQUENCE_TOKEN, rejected_log_events_info })
}

fn check_sizes(events: &[Input]) -> Result<(), twin_platform::AwsError> {
    let validation = |path: &str, rule: &str| {
        invalid(format!("1 validation error detected: Value at '{path}' failed to satisfy constraint: {rule}"))
    };
    if events.is_empty() {
        return Err(validation("logEvents", "Member must have length greater than or equal to 1"));
    }
    if events.len() > MAX_BATCH_EVENTS {
        let rule = format!("Member must have length less than or equal to {MAX_BATCH_EVENTS}");
        return Err(validation("logEvents", &rule));
    }
    let mut batch_bytes = 0;
    for (index, event) in events.iter().enumerate() {
        let place = index + 1;
        if event.message.is_empty() {
            let path = format!("logEvents.{place}.member.message");
            return Err(validation(&path, "Member must have length greater than or equal to 1"));
        }
        if event.timestamp < 0 {
            let path = format!("logEvents.{place}.member.timestamp");
            return Err(validation(&path, "Member must have value greater than or equal to 0"));
        }
        let bytes = event.message.len() + OVERHEAD_BYTES;
        if bytes > MAX_EVENT_BYTES {
            return Err(invalid(format!("Log event too large: {bytes} bytes exceeds limit of {MAX_EVENT_BYTES}")));
        }
        batch_bytes += bytes;
    }
    if batch_bytes > MAX_BATCH_BYTES {
        return Err(invalid(format!("Upload too large: {batch_bytes} bytes exceeds limit of {MAX_BATCH_BYTES}")));
    }
    Ok(())
}

/// A container's line as the awslogs driver sends it: nothing for an empty line, several events for one past the limit,
/// cut between characters.
pub(crate) fn pieces(message: String) -> Vec<String> {
    let most = MAX_EVENT_BYTES - OVERHEAD_BYTES;
    if message.len() <= most {
        return if message.is_empty() { Vec::new() } else { vec![message] };
    }
    let mut pieces = Vec::new();
    let mut rest = message.as_str();
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(rest.floor_char_boundary(most));
        pieces.push(piece.to_owned());
        rest = left;
    }
    pieces
}
