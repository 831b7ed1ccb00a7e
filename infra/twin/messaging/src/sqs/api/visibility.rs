//! ChangeMessageVisibility, alone and in batches.

use serde::Deserialize;

use super::{
    Answer,
    batch::{self, Batch},
    done, find,
};
use crate::sqs::{Sqs, error::missing};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Change {
    #[serde(default)]
    queue_url: String,
    #[serde(default)]
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Entry {
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

pub(super) fn change(sqs: &Sqs, input: Change, now_ms: i64) -> Answer {
    if input.receipt_handle.is_empty() {
        return Err(missing("ReceiptHandle"));
    }
    let seconds = input.visibility_timeout.ok_or_else(|| missing("VisibilityTimeout"))?;
    find(sqs, &mut sqs.queues(), &input.queue_url)?.change_visibility(&input.receipt_handle, seconds, now_ms)?;
    done()
}

pub(super) fn change_batch(sqs: &Sqs, input: Batch<Entry>, now_ms: i64) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    batch::run_quiet(
        input.entries,
        |entry| &entry.id,
        |entry| {
            // Without one the API takes 0, as for a number that was never set.
            queue.change_visibility(&entry.receipt_handle, entry.visibility_timeout.unwrap_or(0), now_ms)
        },
    )
}
