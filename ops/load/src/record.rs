//! Where finished requests are counted. One lock held for some hundred nanoseconds: at 2000 requests a second nobody waits.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use time::OffsetDateTime;

use crate::{ErrorKind, Outcome, Sample};

/// Microseconds, up to an hour, three significant digits.
pub(crate) type Micros = Histogram<u64>;

pub(crate) fn micros() -> Micros {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("the bounds are constants that the library accepts")
}

pub(crate) fn add(histogram: &mut Micros, duration: Duration) {
    histogram.saturating_record(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1));
}

pub(crate) struct TargetCounts {
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) latency: Micros,
}

pub(crate) struct Counts {
    pub(crate) arrivals: u64,
    pub(crate) shed: u64,
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) errors: BTreeMap<ErrorKind, u64>,
    pub(crate) first_failed_at: Option<OffsetDateTime>,
    pub(crate) last_failed_at: Option<OffsetDateTime>,
    pub(crate) targets: Vec<TargetCounts>,
    pub(crate) lag: Micros,
    /// Since the last snapshot.
    pub(crate) window: Window,
}

pub(crate) struct Window {
    pub(crate) since: Instant,
    pub(crate) finished: u64,
    pub(crate) failed: u64,
    pub(crate) shed: u64,
    pub(crate) latency: Micros,
}

pub(crate) struct Record(Mutex<Counts>);

impl Record {
    pub(crate) fn new(targets: usize, t0: Instant) -> Self {
        let target = || TargetCounts { finished: 0, failed: 0, latency: micros() };
        Self(Mutex::new(Counts {
            arrivals: 0,
            shed: 0,
            finished: 0,
            failed: 0,
            statuses: BTreeMap::new(),
            errors: BTreeMap::new(),
            first_failed_at: None,
            last_failed_at: None,
            targets: (0..targets).map(|_| target()).collect(),
            lag: micros(),
            window: Window { since: t0, finished: 0, failed: 0, shed: 0, latency: micros() },
        }))
    }

    pub(crate) fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counters stay true even when an observer panicked elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    pub(crate) fn arrived(&mut self, lag: Duration, shed: bool) {
        self.arrivals += 1;
        self.shed += u64::from(shed);
        self.window.shed += u64::from(shed);
        add(&mut self.lag, lag);
    }

    pub(crate) fn finished(&mut self, sample: &Sample) {
        self.finished += 1;
        self.window.finished += 1;
        match sample.outcome {
            Outcome::Status(status) => *self.statuses.entry(status).or_default() += 1,
            Outcome::Error(kind) => *self.errors.entry(kind).or_default() += 1,
        }
        let target = &mut self.targets[sample.target];
        target.finished += 1;
        add(&mut target.latency, sample.latency);
        add(&mut self.window.latency, sample.latency);
        if !sample.outcome.is_good() {
            self.failed += 1;
            target.failed += 1;
            self.window.failed += 1;
            let ended_at = sample.due_at + sample.latency;
            self.first_failed_at = Some(self.first_failed_at.map_or(ended_at, |first| first.min(ended_at)));
            self.last_failed_at = Some(self.last_failed_at.map_or(ended_at, |last| last.max(ended_at)));
        }
    }
}
