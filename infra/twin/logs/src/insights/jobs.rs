//! Queries that run or have run: started, looked at, stopped, forgotten.
//!
//! Promises: at most [`RUNNING`] run at a time, each on a thread of its own, and none longer than [`TIME_LIMIT`]; results are
//! kept for [`KEPT_FOR_MS`], for the last [`KEPT`] queries, and within [`KEPT_BYTES`]. AWS keeps them for seven days.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{Interrupt, Query, Record, ResultRow, Sources, Statistics};
use crate::{
    now_ms,
    store::{Key, Store},
};

/// Queries at a time. More would only make each of them slower on a laptop's cores; the others are `Scheduled`.
const RUNNING: usize = 2;
/// Queries that run or wait ("CloudWatch Logs quotas": concurrent queries).
const MAX_CONCURRENT: usize = 100;
/// AWS's is 60 minutes, for more data than a laptop holds.
const TIME_LIMIT: Duration = Duration::from_secs(60);
const KEPT: usize = 100;
const KEPT_FOR_MS: i64 = 60 * 60 * 1000;
/// Text of all results together, but for the newest of them: ten thousand whole lines are about 5 MB.
const KEPT_BYTES: usize = 32 << 20;
/// What a field of a result costs beside its text.
const FIELD_BYTES: usize = 40;
/// Events copied by reference under the store's lock at a time: about a millisecond.
const SLICE_EVENTS: usize = 16_384;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Scheduled,
    Running,
    Complete,
    Failed,
    Cancelled,
    Timeout,
}

impl Status {
    /// As the API words it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Timeout => "Timeout",
        }
    }

    fn is_over(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Running)
    }
}

/// What to search, and how.
pub(crate) struct Order {
    pub(crate) text: String,
    pub(crate) query: Query,
    pub(crate) sources: Sources,
    /// Milliseconds since the epoch, both inclusive.
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) limit: Option<usize>,
}

/// One query.
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) order: Order,
    pub(crate) created_ms: i64,
    stopped: AtomicBool,
    progress: Mutex<Progress>,
}

#[derive(Clone)]
pub(crate) struct Progress {
    pub(crate) status: Status,
    pub(crate) results: Arc<Vec<ResultRow>>,
    /// Bytes of the results' text.
    bytes: usize,
    pub(crate) statistics: Statistics,
    /// How long it ran, once it is over.
    pub(crate) duration: Option<Duration>,
}

impl Job {
    pub(crate) fn progress(&self) -> Progress {
        self.lock().clone()
    }

    /// Whether there was something to stop.
    pub(crate) fn stop(&self) -> bool {
        let mut progress = self.lock();
        if progress.status.is_over() {
            return false;
        }
        progress.status = Status::Cancelled;
        self.stopped.store(true, Ordering::Relaxed);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how it ended, unless it was stopped meanwhile.
    fn end(&self, status: Status, results: Vec<ResultRow>, statistics: Statistics, duration: Duration) {
        let mut progress = self.lock();
        progress.duration = Some(duration);
        if !progress.status.is_over() {
            progress.status = status;
            progress.bytes = results.iter().flatten().map(|(_, value)| value.len() + FIELD_BYTES).sum();
            progress.results = Arc::new(results);
            progress.statistics = statistics;
        }
    }

    fn run(&self, store: &Mutex<Store>) {
        let started = Instant::now();
        {
            let mut progress = self.lock();
            if progress.status.is_over() {
                return;
            }
            progress.status = Status::Running;
        }
        let interrupted = || {
            if self.stopped.load(Ordering::Relaxed) {
                Some(Interrupt::Cancelled)
            } else {
                (started.elapsed() > TIME_LIMIT).then_some(Interrupt::TimedOut)
            }
        };
        let order = &self.order;
        let records = gather(store, order);
        let outcome = order.query.run(&records, &order.sources, self.created_ms, order.limit, interrupted);
        let (status, (results, statistics)) = match outcome {
            Ok(outcome) => (Status::Complete, outcome),
            Err(Interrupt::Cancelled) => (Status::Cancelled, Default::default()),
            Err(Interrupt::TimedOut) => (Status::Timeout, Default::default()),
        };
        self.end(status, results, statistics, started.elapsed());
    }
}

/// The events of every group, newest first. A group that was deleted meanwhile has none.
fn gather(store: &Mutex<Store>, order: &Order) -> Vec<Record> {
    let mut records = Vec::new();
    let after = Key { timestamp_ms: order.from_ms, sequence: 0 };
    for (index, name) in order.sources.groups.iter().enumerate() {
        let mut before = Key { timestamp_ms: order.to_ms.saturating_add(1), sequence: 0 };
        loop {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(group) = store.group(name, now_ms()) else { break };
            let had = records.len();
            let newest = group.between(after, before).rev().take(SLICE_EVENTS);
            records.extend(newest.map(|event| Record { event: Arc::clone(event), group: index }));
            drop(store);
            match records.last() {
                Some(last) if records.len() - had == SLICE_EVENTS => before = last.event.key,
                _ => break,
            }
        }
    }
    if order.sources.groups.len() > 1 {
        records.sort_by_key(|record| std::cmp::Reverse(record.event.key.timestamp_ms));
    }
    records
}

/// Every query that is remembered, oldest first.
pub(crate) struct Jobs {
    jobs: Mutex<VecDeque<Arc<Job>>>,
    turns: Arc<Semaphore>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { jobs: Mutex::default(), turns: Arc::new(Semaphore::new(RUNNING)) }
    }
}

impl Jobs {
    /// Starts a query and answers its id; none when too many run or wait. Call inside a tokio runtime.
    pub(crate) fn start(&self, store: Arc<Mutex<Store>>, order: Order, id: String, now_ms: i64) -> Option<String> {
        let waiting = Progress {
            status: Status::Scheduled,
            results: Arc::default(),
            bytes: 0,
            statistics: Statistics::default(),
            duration: None,
        };
        let job = Arc::new(Job {
            id: id.clone(),
            order,
            created_ms: now_ms,
            stopped: AtomicBool::new(false),
            progress: Mutex::new(waiting),
        });
        {
            let mut jobs = self.kept(now_ms);
            if jobs.iter().filter(|job| !job.lock().status.is_over()).count() >= MAX_CONCURRENT {
                return None;
            }
            jobs.push_back(Arc::clone(&job));
        }
        let turns = Arc::clone(&self.turns);
        tokio::spawn(async move {
            // The semaphore is never closed, so this is always a turn.
            let _turn = turns.acquire_owned().await;
            let worker = Arc::clone(&job);
            if tokio::task::spawn_blocking(move || worker.run(&store)).await.is_err() {
                job.end(Status::Failed, Vec::new(), Statistics::default(), Duration::ZERO);
            }
        });
        Some(id)
    }

    pub(crate) fn find(&self, id: &str, now_ms: i64) -> Option<Arc<Job>> {
        self.kept(now_ms).iter().find(|job| job.id == id).map(Arc::clone)
    }

    /// Newest first.
    pub(crate) fn list(&self, now_ms: i64) -> Vec<Arc<Job>> {
        self.kept(now_ms).iter().rev().map(Arc::clone).collect()
    }

    fn kept(&self, now_ms: i64) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // From the newest: each takes its part of what may be kept.
        let (mut over, mut bytes) = (0, 0);
        for index in (0..jobs.len()).rev() {
            let (is_over, size) = {
                let progress = jobs[index].lock();
                (progress.status.is_over(), progress.bytes)
            };
            if !is_over {
                continue;
            }
            over += 1;
            bytes += size;
            if over > KEPT || (over > 1 && bytes > KEPT_BYTES) || now_ms - jobs[index].created_ms > KEPT_FOR_MS {
                jobs.remove(index);
            }
        }
        jobs
    }
}

impl Drop for Jobs {
    /// Stops what runs, so that a twin that ends does not wait for it.
    fn drop(&mut self) {
        for job in self.jobs.get_mut().unwrap_or_else(PoisonError::into_inner).iter() {
            job.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        let text = "fields @message".to_owned();
        let query = Query::parse(&text).expect("a query");
        let sources = Sources { account: String::new(), groups: vec!["none".into()] };
        Order { text, query, sources, from_ms: 0, to_ms: 1, limit: None }
    }

    async fn over(jobs: &Jobs, id: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while jobs.find(id, 0).is_some_and(|job| !job.progress().status.is_over()) {
            assert!(Instant::now() < deadline, "{id} does not end");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn queries_are_forgotten_by_number_size_and_age() {
        let jobs = Jobs::default();
        let store = Arc::<Mutex<Store>>::default();
        for index in 0..KEPT + 5 {
            let id = jobs.start(Arc::clone(&store), order(), index.to_string(), 0).expect("few of them run");
            over(&jobs, &id).await;
        }
        assert_eq!(jobs.list(0).len(), KEPT);
        assert!(jobs.find("4", 0).is_none() && jobs.find("5", 0).is_some());
        for id in ["50", "60", "104"] {
            jobs.find(id, 0).expect("it is kept").lock().bytes = KEPT_BYTES / 2 + 1;
        }
        assert_eq!(jobs.list(0).last().map(|job| job.id.clone()).as_deref(), Some("61"));
        assert!(jobs.list(KEPT_FOR_MS + 1).is_empty());
    }

    #[tokio::test]
    async fn too_many_at_a_time_are_refused_and_a_stopped_one_makes_room() {
        let jobs = Jobs::default();
        let store = Arc::<Mutex<Store>>::default();
        // Held, so that none of them can end.
        let held = store.lock().expect("no test panics within");
        for index in 0..MAX_CONCURRENT {
            jobs.start(Arc::clone(&store), order(), index.to_string(), 0).expect("there is room");
        }
        assert!(jobs.start(Arc::clone(&store), order(), "more".into(), 0).is_none());
        assert!(jobs.find("99", 0).expect("it waits").stop());
        assert!(jobs.start(Arc::clone(&store), order(), "more".into(), 0).is_some());
        drop(held);
        over(&jobs, "more").await;
        assert_eq!(jobs.find("99", 0).expect("it is kept").progress().status, Status::Cancelled);
        assert_eq!(jobs.find("more", 0).expect("it is kept").progress().status, Status::Complete);
    }
}
