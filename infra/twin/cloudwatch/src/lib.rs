//! CloudWatch for the twin: metrics, metric math, alarms and dashboards, in memory.
//!
//! Promises: what is put is there for the next read; a request with one bad value changes nothing; memory is bounded (the
//! figures are [`CAPACITY_BYTES`] and [`MOST_METRICS`]); alarms are evaluated by AWS's rules and say why in AWS's words; all
//! three wire protocols answer alike. [`MetricSink::put`] only puts values into an inbox, so that who measures never waits.
//!
//! Time: `--speed N` divides waiting only. An alarm's period of 60 s is a window of 60/N seconds of wall-clock data (whole
//! seconds, at least one), evaluated once each window. Timestamps and the periods of queries are the wall clock's. Alarms move,
//! and their actions are run, while [`CloudWatch::evaluate_forever`] runs.
//!
//! Refuses by name: anomaly detection, Metrics Insights and SEARCH, times and accounts in dynamic labels, other accounts, composite alarms with an
//! actions suppressor, entities, metric streams, insight rules, mute rules, PromQL alarms, widget images.

mod actions;
mod alarm;
mod data_query;
mod evaluation;
mod input;
mod math;
mod statistic;
mod store;
mod wire;

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Notify,
};
use twin_platform::{
    Account, Request, Response, Service, Speed, now_ms,
    seam::{AlarmActions, AlarmStates, Datum, MetricSink, unit_named},
};

use alarm::book::Book;
use store::{Bucket, Metric, Store};
pub use store::{CAPACITY_BYTES, MOST_METRICS};

/// Values in the inbox before whoever puts more has to sort them in, unless somebody else is at it.
const MOST_WAITING: usize = 50_000;

/// The service.
pub struct CloudWatch {
    account: Account,
    speed: Speed,
    actions: Arc<dyn AlarmActions>,
    inbox: Mutex<Vec<Datum>>,
    /// Locked after `alarms` where both are.
    store: Mutex<Store>,
    alarms: Mutex<Book>,
    dashboards: Mutex<BTreeMap<String, Dashboard>>,
    /// Wakes those who run actions.
    posted: Notify,
}

/// A dashboard as it was put.
struct Dashboard {
    body: String,
    modified_ms: i64,
}

impl CloudWatch {
    /// An empty service. `actions` runs what alarms name.
    pub fn new(account: Account, speed: Speed, actions: Arc<dyn AlarmActions>) -> Arc<Self> {
        Arc::new(Self {
            account,
            speed,
            actions,
            inbox: Mutex::default(),
            store: Mutex::default(),
            alarms: Mutex::default(),
            dashboards: Mutex::default(),
            posted: Notify::new(),
        })
    }

    /// The metrics, with everything that waited in the inbox.
    fn store(&self) -> MutexGuard<'_, Store> {
        let mut store = locked(&self.store);
        self.sort_in(&mut store);
        store
    }

    fn alarms(&self) -> MutexGuard<'_, Book> {
        locked(&self.alarms)
    }

    fn dashboards(&self) -> MutexGuard<'_, BTreeMap<String, Dashboard>> {
        locked(&self.dashboards)
    }

    fn sort_in(&self, store: &mut Store) {
        let waiting = std::mem::take(&mut *locked(&self.inbox));
        if waiting.is_empty() {
            return;
        }
        let now_s = now_ms().div_euclid(1000);
        for datum in waiting {
            let mut bucket = Bucket::at(datum.timestamp_ms.div_euclid(1000));
            for (value, count) in datum.values {
                // The seam has no refusal; what could only spoil a sum is left out.
                if value.is_finite() && count.is_finite() && count > 0.0 {
                    bucket.add(value, count);
                }
            }
            let dimensions = datum.dimensions.into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
            let metric = Metric::new(&datum.namespace, &datum.name, dimensions);
            if !bucket.is_empty() {
                store.add(metric, unit_named(datum.unit).unwrap_or("None"), bucket, now_s);
            }
        }
        store.sweep(now_s);
    }
}

impl Service for CloudWatch {
    fn service_name(&self) -> &str {
        "monitoring"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://monitoring\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let response = aside(|| actions::handle(self, &request));
            self.posted.notify_one();
            response
        })
    }
}

impl MetricSink for CloudWatch {
    fn put(&self, data: Vec<Datum>) {
        let waiting = {
            let mut inbox = locked(&self.inbox);
            inbox.extend(data);
            inbox.len()
        };
        if waiting > MOST_WAITING
            && let Ok(mut store) = self.store.try_lock()
        {
            self.sort_in(&mut store);
        }
    }
}

impl AlarmStates for CloudWatch {
    fn state_of(&self, alarm_name: &str) -> Option<&'static str> {
        self.alarms().alarms.get(alarm_name).map(|alarm| alarm.status.state.name())
    }
}

/// A panic while holding one of these leaves whole metrics and alarms or none, so they stay usable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work that may take some milliseconds so that the runtime's other tasks – the balancer's, above all – go on meanwhile.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // A runtime of one thread has nobody to go on.
        _ => work(),
    }
}
