//! CloudWatch Logs for the twin: groups, streams, events, filter patterns and Logs Insights, in memory.
//!
//! Promises: what `PutLogEvents` accepts is found by the next read; a rejected event never takes an accepted one with it;
//! memory is bounded by [`DEFAULT_CAPACITY_BYTES`] a group, oldest events first; retention is applied on every access.
//! Refuses by name what it does not imitate (live tail, subscription filters, transformers, KMS keys, queries in SQL and PPL).

mod actions;
mod insights;
pub mod pattern;
mod store;

use std::{
    collections::BTreeMap,
    future::Future,
    hash::{BuildHasher as _, RandomState},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use twin_platform::{
    Account, AwsError, Request, Response, Service,
    seam::{LogLine, LogSink},
};

use actions::Definition;
use insights::jobs::Jobs;
use store::Store;

/// Memory of one log group unless asked otherwise: about 150 000 request log lines. Less loses a drill's beginning within the
/// drill; more lets a `return_500` run under load fill a laptop.
pub const DEFAULT_CAPACITY_BYTES: usize = 64 << 20;

/// The service.
pub struct Logs {
    account: Account,
    capacity_bytes: usize,
    store: Arc<Mutex<Store>>,
    jobs: Jobs,
    definitions: Mutex<BTreeMap<String, Definition>>,
    ids: AtomicU64,
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
        })
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
        self.store().group(group, now_ms)?.append(stream, lines, now_ms)
    }
}

/// Milliseconds since the epoch.
fn now_ms() -> i64 {
    let nanoseconds = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanoseconds / 1_000_000).unwrap_or(i64::MAX)
}
