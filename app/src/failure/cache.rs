//! The read-through cache of the parameter.
//!
//! A request loads one pointer and compares two clocks. Reads are single-flight: whoever asks while a read is under way
//! shares the next one. An error keeps the last value, whose age goes on growing; past the bound it behaves as `none`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use contract::failure::RequestView;
use http::HeaderValue;
use time::OffsetDateTime;
use tokio::sync::{Mutex, Notify};

use super::{Active, ParameterStore, ReadError, Snapshot};
use crate::identity::Identity;

/// How often a request that a fault holds looks whether it still does.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often a read that goes on failing is said again: an outage shows in the log for as long as it lasts, an alarm can tell it
/// from one slow call, and a log of an hour of it stays short.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// How old a value may grow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheSettings {
    /// After this a value is read again; zero reads on every request.
    pub max_age: Duration,
    /// After this a value applies no longer.
    pub max_stale: Duration,
    /// Longest run of a mode without an end of its own, in seconds.
    pub max_s: u64,
}

/// The parameter as last read.
pub(crate) struct FailureCache {
    store: Box<dyn ParameterStore>,
    identity: Arc<Identity>,
    pub(super) settings: CacheSettings,
    snapshot: ArcSwap<Snapshot>,
    empty: Arc<Snapshot>,
    last_error: ArcSwapOption<String>,
    /// When that was last said: milliseconds since the epoch.
    said_at: AtomicU64,
    epoch: Instant,
    /// When the read began that the snapshot is from: milliseconds since the epoch plus one; 0 is never.
    read_at: AtomicU64,
    begun: AtomicU64,
    /// Number of the last read that ended.
    ended: Mutex<u64>,
    reads: AtomicU64,
    refusals: AtomicU64,
    last_took_us: AtomicU64,
    unreachable: AtomicBool,
    pub(super) wake: Notify,
    /// Whether the refresher was woken since it last read: without it each request of an outage would wake it again.
    woken: AtomicBool,
}

impl FailureCache {
    /// A cache that has read nothing yet: it behaves as `none`.
    pub(crate) fn new(store: Box<dyn ParameterStore>, identity: Arc<Identity>, settings: CacheSettings) -> Self {
        let empty = Arc::new(Snapshot::empty());
        Self {
            store,
            identity,
            settings,
            snapshot: ArcSwap::new(Arc::clone(&empty)),
            empty,
            last_error: ArcSwapOption::empty(),
            said_at: AtomicU64::new(0),
            epoch: Instant::now(),
            read_at: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            ended: Mutex::new(0),
            reads: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            last_took_us: AtomicU64::new(0),
            unreachable: AtomicBool::new(false),
            wake: Notify::new(),
            woken: AtomicBool::new(false),
        }
    }

    /// Age of the value at `now`; `None` when none was ever read.
    pub(crate) fn age(&self, now: Instant) -> Option<Duration> {
        let read_at = self.read_at.load(Ordering::Acquire).checked_sub(1)?;
        Some(now.saturating_duration_since(self.epoch + Duration::from_millis(read_at)))
    }

    /// Whether the value is too old to apply.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        self.age(now).is_none_or(|age| age > self.settings.max_stale)
    }

    /// The value that applies at `now`: `none` when it is too old.
    pub(crate) fn effective(&self, now: Instant) -> Arc<Snapshot> {
        if self.is_stale(now) { Arc::clone(&self.empty) } else { self.snapshot.load_full() }
    }

    /// The value as last read, however old.
    pub(crate) fn desired(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// With a maximum age of zero, waits for a read that begins from now on; else returns at once.
    pub(crate) async fn before_request(&self) {
        if self.settings.max_age.is_zero() {
            self.refresh().await;
        }
    }

    /// The faults that hit this request at `now`, and the version that decided it. Never waits and takes no lock.
    pub(crate) fn hits(&self, request: &impl RequestView, now: Instant) -> (Vec<Arc<Active>>, HeaderValue) {
        let age = self.age(now);
        if !self.settings.max_age.is_zero()
            && age.is_none_or(|age| age > self.settings.max_age)
            && !self.woken.swap(true, Ordering::Relaxed)
        {
            self.wake.notify_one();
        }
        if age.is_none_or(|age| age > self.settings.max_stale) {
            return (Vec::new(), self.empty.header.clone());
        }
        let snapshot = self.snapshot.load();
        if snapshot.active.is_empty() {
            return (Vec::new(), snapshot.header.clone());
        }
        let clock = OffsetDateTime::now_utc();
        let hit = |active: &&Arc<Active>| active.is_running(clock) && active.hits(request);
        (snapshot.active.iter().filter(hit).cloned().collect(), snapshot.header.clone())
    }

    /// Returns when one of these faults applies no longer: the value was written anew, its time is up, or it is too old.
    /// Of no faults at all it never returns.
    pub(crate) async fn left(&self, faults: &[Arc<Active>]) {
        while faults.is_empty() || faults.iter().all(|fault| self.applies(fault)) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn applies(&self, fault: &Arc<Active>) -> bool {
        let snapshot = self.effective(Instant::now());
        fault.is_running(OffsetDateTime::now_utc()) && snapshot.active.iter().any(|active| Arc::ptr_eq(active, fault))
    }

    /// Reads once, sharing a read that somebody else begins meanwhile.
    pub(crate) async fn refresh(&self) {
        self.read_after(self.begun.load(Ordering::Acquire)).await;
    }

    /// Returns when a read has ended that began after read number `seen`.
    async fn read_after(&self, seen: u64) {
        let mut ended = self.ended.lock().await;
        if *ended > seen {
            return;
        }
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let began = Instant::now();
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.woken.store(false, Ordering::Relaxed);
        let result = self.store.read().await;
        self.take(result, began);
        *ended = number;
    }

    fn take(&self, result: Result<super::ParameterValue, ReadError>, began: Instant) {
        let error = match result {
            Ok(read) => {
                let held = self.snapshot.load();
                // The same write again keeps the snapshot: its counters make `every` and `seed` exact.
                if !held.is_of(&read) {
                    let snapshot = Snapshot::read(&read, &self.identity, self.settings.max_s);
                    self.announce(&snapshot);
                    self.snapshot.store(Arc::new(snapshot));
                }
                self.set_read_at(began);
                None
            }
            Err(error @ ReadError::NotFound(_)) => {
                self.snapshot.store(Arc::clone(&self.empty));
                self.set_read_at(began);
                Some(error)
            }
            Err(error) => Some(error),
        };
        self.unreachable.store(matches!(error, Some(ReadError::Failed { .. })), Ordering::Relaxed);
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_took_us.store(took, Ordering::Relaxed);
        let text = error.map(|error| Arc::new(error.to_string()));
        let before = self.last_error.swap(text.clone());
        // Not on every read: of an outage of the parameter store there are several a second.
        match (before, text) {
            (before, Some(now)) if before.as_ref() != Some(&now) || self.said_long_ago() => {
                self.said_at.store(self.millis(Instant::now()), Ordering::Relaxed);
                tracing::warn!(errorType = "ParameterUnavailable", reason = %now, "the failure mode cannot be read");
            }
            (Some(_), None) => tracing::info!("the failure mode can be read again"),
            _ => {}
        }
    }

    fn announce(&self, snapshot: &Snapshot) {
        if let Some(reason) = &snapshot.refusal {
            self.refusals.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                errorType = "InvalidFailureMode",
                version = snapshot.version,
                reason = %reason,
                "the failure mode is refused as a whole; behaviour is none"
            );
        } else {
            let names: Vec<_> = snapshot.active.iter().map(|active| active.fault.mode.name().as_str()).collect();
            let modes = match (snapshot.desired.is_blind(), names.is_empty()) {
                (true, _) => "blind".to_owned(),
                (false, true) => "none".to_owned(),
                (false, false) => names.join(" "),
            };
            tracing::info!(version = snapshot.version, modes = %modes, "a new failure mode applies");
        }
    }

    fn set_read_at(&self, began: Instant) {
        self.read_at.store(self.millis(began) + 1, Ordering::Release);
    }

    fn said_long_ago(&self) -> bool {
        let since = self.millis(Instant::now()).saturating_sub(self.said_at.load(Ordering::Relaxed));
        u128::from(since) >= SAY_EVERY.as_millis()
    }

    /// Milliseconds from the epoch to `at`.
    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX - 1)
    }

    /// Why the last read gave no value.
    pub(crate) fn last_error(&self) -> Option<Arc<String>> {
        self.last_error.load_full()
    }

    /// Whether the store answered the last read (a missing parameter is an answer too), and how long that took.
    pub(crate) fn last_read(&self) -> (bool, Duration) {
        let took = Duration::from_micros(self.last_took_us.load(Ordering::Relaxed));
        (!self.unreachable.load(Ordering::Relaxed), took)
    }

    /// Reads so far, failed ones too.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Values that were refused so far.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
