//! X-Ray for the twin: segments in – from the API, from OTLP/HTTP, from the daemon's UDP protocol, from the balancer – and
//! traces, summaries, filter expressions and service graphs out.
//!
//! Promises: what is accepted is found by the next read; of a call with a bad document the good ones are kept; a trace's late
//! segments join it; memory is bounded by [`DEFAULT_CAPACITY_BYTES`], the traces that came first dropped whole.
//! Every trace that is sent is kept: sampling is the sender's decision, as in AWS. Refuses by name what it does not imitate:
//! groups, insights, encryption, own sampling rules, resource policies, trace retrieval, root causes, statistics as a time series.

mod actions;
mod daemon;
pub mod document;
pub mod filter;
mod graph;
mod header;
mod id;
mod json;
mod otlp;
mod sampling;
pub mod segment;
mod store;
mod summary;
mod view;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use twin_platform::{Account, Request, Response, Service};

pub use crate::{
    header::TraceHeader,
    id::{SegmentId, TraceId},
    segment::{Http, Kind, LOAD_BALANCER_ORIGIN, Scalar, Segment},
};
use crate::{otlp::Databases, sampling::Clients, store::Store};

/// Memory of all traces unless asked otherwise: some 38 000 requests to the database, each with the balancer's segment, golden's
/// and two calls. Less loses the beginning of a drill within the drill.
pub const DEFAULT_CAPACITY_BYTES: usize = 48 << 20;

/// The service.
pub struct XRay {
    account: Account,
    store: Mutex<Store>,
    databases: Mutex<Databases>,
    clients: Mutex<Clients>,
    refused_datagrams: AtomicU64,
}

impl XRay {
    /// An empty service that holds [`DEFAULT_CAPACITY_BYTES`] of traces.
    pub fn new(account: Account) -> Arc<Self> {
        Self::with_capacity(account, DEFAULT_CAPACITY_BYTES)
    }

    /// An empty service that holds `capacity_bytes` of traces.
    pub fn with_capacity(account: Account, capacity_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            account,
            store: Mutex::new(Store::new(capacity_bytes)),
            databases: Mutex::default(),
            clients: Mutex::default(),
            refused_datagrams: AtomicU64::new(0),
        })
    }

    /// Takes one segment as it is: the balancer's way in. Returns at once; there is no refusal. A time that is no number is 0.
    pub fn record(&self, mut segment: Segment) {
        fn sound(time: f64) -> f64 {
            if time.is_finite() { time } else { 0.0 }
        }
        segment.start_time = sound(segment.start_time);
        segment.end_time = segment.end_time.map(sound);
        self.store().put(segment, now());
    }

    /// Takes the body of an OTLP/HTTP `POST /v1/traces` and gives the response to send, whatever it is: 200, also for a part; 400
    /// for a body that cannot be read, 413 for one that unpacks to more than 32 MiB, 415 for another content type.
    /// A gzipped body is told by its first bytes.
    pub fn ingest_otlp(&self, content_type: &str, body: &[u8]) -> Response {
        self.ingest_otlp_of(content_type, body, |_| true)
    }

    /// As [`XRay::ingest_otlp`], for a collector that sends the spans of a task on as that task's role: what comes from a task
    /// (by ARN) that `may_send` denies is dropped, and the sender, who spoke to the collector only, is not told.
    pub fn ingest_otlp_of(&self, content_type: &str, body: &[u8], may_send: impl Fn(&str) -> bool) -> Response {
        otlp::ingest(content_type, body, &self.databases, may_send, |segments| self.keep(segments))
    }

    /// The response to a `POST /v1/traces` whose body could not be received: too large (413), or cut (400).
    pub fn refuse_otlp(&self, content_type: &str, status: u16, message: String) -> Response {
        otlp::refuse(content_type, status, message)
    }

    /// How many traces are held, and their memory in bytes.
    pub fn size(&self) -> (usize, usize) {
        self.store().size()
    }

    fn keep(&self, segments: Vec<Segment>) {
        let now = now();
        let mut store = self.store();
        for segment in segments {
            store.put(segment, now);
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        lock(&self.clients)
    }
}

impl Service for XRay {
    fn service_name(&self) -> &str {
        "xray"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://xray\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(actions::handle(self, request))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while holding it leaves whole segments or none, so what it guards stays usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seconds since the epoch.
fn now() -> f64 {
    time::OffsetDateTime::now_utc().unix_timestamp_nanos() as f64 / 1e9
}
