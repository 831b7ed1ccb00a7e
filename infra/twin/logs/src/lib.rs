//! CloudWatch Logs for the twin: groups, streams, events, filter patterns, metric filters and Logs Insights, in
//! memory.
//!
//! Promises: what `PutLogEvents` accepts is found by the next read; a rejected event never takes an accepted one with it;
//! memory is bounded by [`DEFAULT_CAPACITY_BYTES`] a group, oldest events first; retention is applied on every access.
//! Refuses by name what it does not imitate (live tail, subscription filters, transformers, KMS keys, queries in SQL and PPL).

mod actions;
mod insights;
mod metric_filter;
pub mod pattern;
mod store;

use std::{
    collections::BTreeMap,
    future::Future,
    hash::{BuildHasher as _, RandomState},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use twin_platform::{
    Account, AwsError, Request, Response, Service, Speed, now_ms,
    seam::{Datum, LogLine, LogSink, MetricSink},
};

use actions::Definition;
use insights::jobs::Jobs;
use metric_filter::Metrics;
use store::Store;

/// Memory of one log group unless asked otherwise: about 110 000 request log lines. Less loses a drill's beginning within the
/// drill; more lets a `return_500` run under load fill a laptop.
pub const DEFAULT_CAPACITY_BYTES: usize = 48 << 20;

/// The service.
pub struct Logs {
    account: Account,
    capacity_bytes: usize,
    store: Arc<Mutex<Store>>,
    jobs: Jobs,
    definitions: Mutex<BTreeMap<String, Definition>>,
    ids: AtomicU64,
    metrics: OnceLock<Metrics>,
}

impl Logs {
    /// An empty service whose groups hold [`DEFAULT_CAPACITY_BYTES`] each.
    pub fn new(account: Account) -> Arc<Self> {
        Self::with_capacity(account, DEFAULT_CAPACITY_BYTES)
    }

    /// An empty service whose groups hold `capacity_bytes` of memory each.
    pub fn with_capacity(account: Account, capacity_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            account,
            capacity_bytes,
            store: Arc::default(),
            jobs: Jobs::default(),
            definitions: Mutex::default(),
            ids: AtomicU64::new(0),
            metrics: OnceLock::new(),
        })
    }

    /// Where metric filters put their data; until then they put none. Set at most once, inside a tokio runtime: a task there
    /// puts the default values. `speed` divides the minute of these, because it divides the period of the alarms on them.
    pub fn set_metrics(self: &Arc<Self>, sink: Arc<dyn MetricSink>, speed: Speed) {
        let minute = speed.wait(60.0);
        let minute_ms = i64::try_from(minute.as_millis()).unwrap_or(i64::MAX).max(1);
        if self.metrics.set(Metrics { sink, minute_ms }).is_err() {
            return;
        }
        let logs = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(minute / 4);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                let Some(logs) = logs.upgrade() else { return };
                logs.settle(now_ms(), minute_ms);
            }
        });
    }

    /// Puts the default values of minutes that are over.
    fn settle(&self, now_ms: i64, minute_ms: i64) {
        let mut data = Vec::new();
        for group in self.store().groups.values_mut() {
            group.filters.values_mut().for_each(|filter| filter.settle(now_ms, minute_ms, &mut data));
        }
        self.emit(data);
    }

    /// The length of a default value's minute; none while nobody takes metrics.
    fn minute_ms(&self) -> Option<i64> {
        self.metrics.get().map(|metrics| metrics.minute_ms)
    }

    /// Puts data where they go. Not under the store's lock.
    fn emit(&self, data: Vec<Datum>) {
        if let Some(metrics) = self.metrics.get().filter(|_| !data.is_empty()) {
            metrics.sink.put(data);
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A panic while holding it leaves whole events or none, so the store stays usable.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn definitions(&self) -> MutexGuard<'_, BTreeMap<String, Definition>> {
        self.definitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An id of a query, in the shape of AWS's; no two are equal.
    fn new_id(&self, now_ms: i64) -> String {
        let count = self.ids.fetch_add(1, Ordering::Relaxed);
        let hash = RandomState::new().hash_one((now_ms, count));
        let (high, middle, low) = (hash >> 32, (hash >> 16) & 0xffff, hash & 0xffff);
        format!("{high:08x}-{middle:04x}-{low:04x}-{:04x}-{count:012x}", now_ms & 0xffff)
    }
}

impl Service for Logs {
    fn service_name(&self) -> &str {
        "logs"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://logs\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(actions::handle(self, request))
    }
}

#[async_trait]
impl LogSink for Logs {
    async fn create_stream(&self, group: &str, stream: &str) -> Result<(), AwsError> {
        let now_ms = now_ms();
        // The awslogs driver goes on with a stream that is already there.
        self.store().group(group, now_ms)?.create_stream(stream, now_ms);
        Ok(())
    }

    async fn append(&self, group: &str, stream: &str, lines: Vec<LogLine>) -> Result<(), AwsError> {
        let now_ms = now_ms();
        let lines = lines.into_iter().flat_map(|line| {
            actions::pieces(line.message).into_iter().map(move |message| (line.timestamp_ms, message))
        });
        let data = self.store().group(group, now_ms)?.append(stream, lines, now_ms, self.minute_ms())?;
        self.emit(data);
        Ok(())
    }
}
