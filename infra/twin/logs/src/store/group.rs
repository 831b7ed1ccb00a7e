//! One log group with its streams. Events are kept twice by reference: in the group's order for searches over many streams,
//! and in each stream's.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use twin_platform::{AwsError, seam::Datum};

use super::{Event, Key, no_stream};
use crate::metric_filter::MetricFilter;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) class: String,
    pub(crate) retention_days: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) streams: BTreeMap<Arc<str>, Stream>,
    /// Metric filters by name.
    pub(crate) filters: BTreeMap<String, MetricFilter>,
    events: VecDeque<Arc<Event>>,
    sequence: u64,
    billed_bytes: usize,
    memory_bytes: usize,
    capacity_bytes: usize,
}

#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) created_ms: i64,
    pub(crate) last_ingestion_ms: Option<i64>,
    events: VecDeque<Arc<Event>>,
}

/// From which end to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    OldestFirst,
    NewestFirst,
}

impl Stream {
    pub(crate) fn first(&self) -> Option<&Event> {
        self.events.front().map(AsRef::as_ref)
    }

    pub(crate) fn last(&self) -> Option<&Event> {
        self.events.back().map(AsRef::as_ref)
    }

    /// Events strictly between the two keys.
    pub(crate) fn between(&self, after: Key, before: Key, order: Order) -> Box<dyn Iterator<Item = &Arc<Event>> + '_> {
        let range = between(&self.events, after, before);
        match order {
            Order::OldestFirst => Box::new(range),
            Order::NewestFirst => Box::new(range.rev()),
        }
    }
}

impl Group {
    pub(crate) fn new(name: String, class: String, created_ms: i64, capacity_bytes: usize) -> Self {
        Self {
            name,
            created_ms,
            class,
            capacity_bytes,
            retention_days: None,
            tags: BTreeMap::new(),
            streams: BTreeMap::new(),
            filters: BTreeMap::new(),
            events: VecDeque::new(),
            sequence: 0,
            billed_bytes: 0,
            memory_bytes: 0,
        }
    }

    /// Bytes stored, as AWS counts them.
    pub(crate) fn billed_bytes(&self) -> usize {
        self.billed_bytes
    }

    pub(crate) fn stream(&self, name: &str) -> Result<&Stream, AwsError> {
        self.streams.get(name).ok_or_else(no_stream)
    }

    /// Whether the stream is new.
    pub(crate) fn create_stream(&mut self, name: &str, now_ms: i64) -> bool {
        if self.streams.contains_key(name) {
            return false;
        }
        self.streams.insert(name.into(), Stream { created_ms: now_ms, ..Stream::default() });
        true
    }

    pub(crate) fn delete_stream(&mut self, name: &str) -> Result<(), AwsError> {
        let stream = self.streams.remove(name).ok_or_else(no_stream)?;
        if !stream.events.is_empty() {
            self.events.retain(|event| &*event.stream != name);
        }
        for event in stream.events {
            self.billed_bytes -= event.billed_bytes();
            self.memory_bytes -= event.memory_bytes();
        }
        Ok(())
    }

    /// Appends events, each a time in milliseconds and a message, and keeps the group within its cap. Answers what its metric
    /// filters make of them, when somebody listens: `minute_ms` is then the length of a default value's minute.
    pub(crate) fn append(
        &mut self,
        stream: &str,
        lines: impl IntoIterator<Item = (i64, String)>,
        now_ms: i64,
        minute_ms: Option<i64>,
    ) -> Result<Vec<Datum>, AwsError> {
        let mut data = Vec::new();
        let (name, _) = self.streams.get_key_value(stream).ok_or_else(no_stream)?;
        let name = Arc::clone(name);
        let Some(entry) = self.streams.get_mut(&name) else { return Err(no_stream()) };
        for (timestamp_ms, message) in lines {
            if let Some(minute_ms) = minute_ms {
                for filter in self.filters.values_mut() {
                    filter.take(&message, timestamp_ms, now_ms, minute_ms, &mut data);
                }
            }
            self.sequence += 1;
            let key = Key { timestamp_ms, sequence: self.sequence };
            let stream = Arc::clone(&name);
            let event = Arc::new(Event { key, ingestion_ms: now_ms, stream, message: message.into() });
            self.billed_bytes += event.billed_bytes();
            self.memory_bytes += event.memory_bytes();
            insert(&mut entry.events, Arc::clone(&event));
            insert(&mut self.events, event);
            entry.last_ingestion_ms = Some(now_ms);
        }
        while self.memory_bytes > self.capacity_bytes {
            self.drop_oldest();
        }
        self.expire(now_ms);
        Ok(data)
    }

    /// The oldest moment that retention still keeps.
    pub(crate) fn horizon_ms(&self, now_ms: i64) -> Option<i64> {
        self.retention_days.map(|days| now_ms - days * DAY_MS)
    }

    /// Drops what retention no longer keeps; AWS takes up to 72 hours, the twin does it at once.
    pub(crate) fn expire(&mut self, now_ms: i64) {
        let Some(horizon_ms) = self.horizon_ms(now_ms) else { return };
        while self.events.front().is_some_and(|event| event.key.timestamp_ms < horizon_ms) {
            self.drop_oldest();
        }
    }

    /// Events strictly between the two keys, in the group's order.
    pub(crate) fn between(&self, after: Key, before: Key) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        between(&self.events, after, before)
    }

    fn drop_oldest(&mut self) {
        let Some(event) = self.events.pop_front() else { return };
        self.billed_bytes -= event.billed_bytes();
        self.memory_bytes -= event.memory_bytes();
        // Both queues have one order, so the group's oldest event is the oldest of its stream.
        if let Some(stream) = self.streams.get_mut(&event.stream) {
            stream.events.pop_front();
        }
    }
}

fn between(
    events: &VecDeque<Arc<Event>>,
    after: Key,
    before: Key,
) -> impl DoubleEndedIterator<Item = &Arc<Event>> + ExactSizeIterator {
    let start = events.partition_point(|event| event.key <= after);
    let end = events.partition_point(|event| event.key < before).max(start);
    events.range(start..end)
}

fn insert(events: &mut VecDeque<Arc<Event>>, event: Arc<Event>) {
    // Nearly always the newest, so the search is the exception.
    if events.back().is_none_or(|last| last.key < event.key) {
        events.push_back(event);
    } else {
        let at = events.partition_point(|other| other.key < event.key);
        events.insert(at, event);
    }
}
