//! One log event.

use std::sync::Arc;

/// What AWS adds to each message when it counts bytes (`PutLogEvents` in the API reference).
pub(crate) const OVERHEAD_BYTES: usize = 26;
/// What an event costs here beside its text: the record, two references, the allocator. Counted so that many short
/// lines cannot outgrow the cap.
const MEMORY_BYTES: usize = 144;

/// Where an event stands: by time, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Milliseconds since the epoch.
    pub(crate) timestamp_ms: i64,
    /// Counts the group's events from 1.
    pub(crate) sequence: u64,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) key: Key,
    pub(crate) ingestion_ms: i64,
    pub(crate) stream: Arc<str>,
    pub(crate) message: Arc<str>,
}

impl Event {
    /// Bytes as AWS counts them.
    pub(crate) fn billed_bytes(&self) -> usize {
        self.message.len() + OVERHEAD_BYTES
    }

    /// Bytes of memory, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.message.len() + MEMORY_BYTES
    }

    /// Fifty-six digits as AWS's are, in the order of the events.
    pub(crate) fn id(&self) -> String {
        format!("{:026}{:030}", self.key.timestamp_ms, self.key.sequence)
    }
}
