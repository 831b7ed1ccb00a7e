//! Traces in memory, bounded: when the store outgrows its share, the traces that came first are dropped whole.
//!
//! A trace is handed out as a snapshot (`Arc`), so that questions are answered without the lock; what comes meanwhile goes
//! into a copy.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::{Segment, TraceId};

/// Memory of one trace beside its segments: its place in the map and in the queue, and its own fields.
const OVERHEAD_BYTES: usize = 192;
/// Largest trace. X-Ray's quota is 500 KB ("AWS X-Ray endpoints and quotas", trace document size); without one, a client that
/// sends every request under one trace id would make each insertion slower than the last.
const MAX_TRACE_BYTES: usize = 500 << 10;

/// All that is known of one request.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) id: TraceId,
    /// Segments and subsegments in the order they came; no two with one identifier.
    pub(crate) segments: Vec<Segment>,
    /// When the last one came, in seconds since the epoch.
    pub(crate) updated: f64,
    /// How many came.
    pub(crate) revision: u32,
    /// Whether some were not taken because the trace was too large.
    pub(crate) limit_exceeded: bool,
    bytes: usize,
}

impl Trace {
    /// When its first segment started.
    pub(crate) fn start_time(&self) -> f64 {
        self.segments.iter().map(|segment| segment.start_time).fold(f64::INFINITY, f64::min)
    }

    /// Seconds from the first start to the last end.
    pub(crate) fn duration(&self) -> f64 {
        let end = self.segments.iter().map(|segment| segment.end_time.unwrap_or(segment.start_time));
        (end.fold(f64::NEG_INFINITY, f64::max) - self.start_time()).max(0.0)
    }

    fn put(&mut self, segment: Segment, now: f64) {
        self.updated = now;
        self.revision = self.revision.saturating_add(1);
        let bytes = segment.heap_bytes();
        match self.segments.iter_mut().find(|known| known.id == segment.id) {
            // "The complete segment overwrites the in-progress segment"; one in progress that comes late says nothing new.
            Some(known) if segment.end_time.is_some() || known.end_time.is_none() => {
                self.bytes = self.bytes.saturating_sub(known.heap_bytes()) + bytes;
                *known = segment;
            }
            Some(_) => {}
            None if self.bytes + bytes + size_of::<Segment>() > MAX_TRACE_BYTES => self.limit_exceeded = true,
            None => {
                // Most traces have a handful of segments; doubling would waste half of the store.
                self.segments.reserve_exact(1);
                self.segments.push(segment);
                self.bytes += bytes + size_of::<Segment>();
            }
        }
    }
}

/// Every trace that is still known.
pub(crate) struct Store {
    traces: HashMap<TraceId, Arc<Trace>>,
    /// In the order in which their first segment came.
    order: VecDeque<TraceId>,
    bytes: usize,
    capacity_bytes: usize,
}

impl Store {
    pub(crate) fn new(capacity_bytes: usize) -> Self {
        Self { traces: HashMap::new(), order: VecDeque::new(), bytes: 0, capacity_bytes }
    }

    /// Takes a segment at `now` (seconds since the epoch).
    pub(crate) fn put(&mut self, segment: Segment, now: f64) {
        let id = segment.trace_id;
        let trace = self.traces.entry(id).or_insert_with(|| {
            self.order.push_back(id);
            self.bytes += OVERHEAD_BYTES;
            Arc::new(Trace {
                id,
                segments: Vec::new(),
                updated: now,
                revision: 0,
                limit_exceeded: false,
                bytes: OVERHEAD_BYTES,
            })
        });
        let trace = Arc::make_mut(trace);
        let before = trace.bytes;
        trace.put(segment, now);
        self.bytes = (self.bytes + trace.bytes).saturating_sub(before);
        while self.bytes > self.capacity_bytes {
            let Some(oldest) = self.order.pop_front() else { break };
            let dropped = self.traces.remove(&oldest);
            self.bytes = self.bytes.saturating_sub(dropped.map_or(0, |trace| trace.bytes));
        }
    }

    /// The trace, as it is now.
    pub(crate) fn get(&self, id: TraceId) -> Option<Arc<Trace>> {
        self.traces.get(&id).cloned()
    }

    /// Every trace, as it is now, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Trace>> {
        self.traces.values().cloned().collect()
    }

    /// How many traces are known, and their memory in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.traces.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SegmentId;

    fn segment(trace: u8, id: u8) -> Segment {
        let trace_id = TraceId::from_bytes([trace; 16]).expect("an id");
        Segment::new(trace_id, SegmentId::from_bytes([id; 8]).expect("an id"), "golden", 1000.0 + f64::from(id))
    }

    #[test]
    fn a_full_store_drops_its_first_traces_whole() {
        let mut store = Store::new(2000);
        for trace in 1..=20 {
            store.put(segment(trace, 1), 0.0);
            store.put(segment(trace, 2), 0.0);
        }
        let (traces, bytes) = store.size();
        assert!((1..10).contains(&traces) && bytes <= 2000, "{traces} traces, {bytes} bytes");
        assert!(store.get(segment(1, 1).trace_id).is_none());
        assert_eq!(store.get(segment(20, 1).trace_id).expect("the last").segments.len(), 2);
    }

    #[test]
    fn a_complete_segment_overwrites_the_one_in_progress_and_not_the_other_way() {
        let mut store = Store::new(1 << 20);
        let open = segment(1, 1);
        let done = Segment { end_time: Some(1003.0), ..open.clone() };
        for next in [&open, &done, &open] {
            store.put(next.clone(), 5.0);
        }
        let trace = store.get(open.trace_id).expect("the trace");
        assert_eq!((trace.segments.as_slice(), trace.revision), ([done].as_slice(), 3));
    }

    #[test]
    fn a_snapshot_stays_as_it_was() {
        let mut store = Store::new(1 << 20);
        store.put(segment(1, 1), 0.0);
        let snapshot = store.get(segment(1, 1).trace_id).expect("the trace");
        store.put(segment(1, 2), 0.0);
        assert_eq!(snapshot.segments.len(), 1);
    }

    #[test]
    fn one_trace_cannot_take_everything() {
        let mut store = Store::new(64 << 20);
        for id in 1..10_000_u64 {
            let id = SegmentId::from_bytes(id.to_be_bytes()).expect("an id");
            store.put(Segment { id, ..segment(1, 1) }, 0.0);
        }
        let trace = store.get(segment(1, 1).trace_id).expect("the trace");
        assert!(trace.limit_exceeded && trace.bytes <= MAX_TRACE_BYTES, "{} bytes", trace.bytes);
    }
}
