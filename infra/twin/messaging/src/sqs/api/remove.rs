//! DeleteMessage, alone and in batches, and PurgeQueue.

use serde::Deserialize;
use twin_platform::AwsError;

use super::{
    Answer,
    batch::{self, Batch},
    done, find,
    queues::Named,
};
use crate::sqs::{Sqs, error::missing};

/// A queue can be purged once within this time, in milliseconds.
const PURGE_MS: i64 = 60_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Delete {
    #[serde(default)]
    queue_url: String,
    #[serde(default)]
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Entry {
    id: String,
    receipt_handle: String,
}

pub(super) fn delete(sqs: &Sqs, input: Delete, now_ms: i64) -> Answer {
    if input.receipt_handle.is_empty() {
        return Err(missing("ReceiptHandle"));
    }
    find(sqs, &mut sqs.queues(), &input.queue_url)?.delete(&input.receipt_handle, now_ms)?;
    done()
}

pub(super) fn delete_batch(sqs: &Sqs, input: Batch<Entry>, now_ms: i64) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    batch::run_quiet(input.entries, |entry| &entry.id, |entry| queue.delete(&entry.receipt_handle, now_ms))
}

pub(super) fn purge(sqs: &Sqs, input: Named, now_ms: i64) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    if queue.purged_ms.is_some_and(|purged_ms| now_ms < purged_ms + PURGE_MS) {
        let message = format!("Only one PurgeQueue operation on {} is allowed every 60 seconds.", queue.name);
        return Err(AwsError::client("PurgeQueueInProgress", message));
    }
    queue.purge(now_ms);
    done()
}
