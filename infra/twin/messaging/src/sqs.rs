//! Amazon SQS: standard and FIFO queues in memory.
//!
//! Promises: visibility time-outs, delays, long polls that wait and wake, receive counts, dead-letter queues, retention, MD5s,
//! order and deduplication of FIFO queues, batches with an error per entry, AWS's error codes with the older ones in
//! `x-amzn-query-error`. A standard queue gives out the oldest message first and never one twice within its visibility
//! time-out; AWS promises neither.
//!
//! Refuses, by name: the query protocol (every SDK since 2023 speaks JSON), encryption, `RedriveAllowPolicy`,
//! `FifoThroughputLimit=perMessageGroupId`, `ReceiveRequestAttemptId`, message move tasks, permissions. Policies are kept and
//! shown, and not evaluated: SNS may deliver without one. A deleted queue is gone, and its name free, at once. A change of a FIFO queue's `DelaySeconds` does
//! not reach back to messages that are in it. Ids of senders are the account's. `PurgeQueue` is over before its answer, and refused
//! for the next 60 s of the clock on the wall.

mod api;
mod error;
mod fifo;
mod message;
mod metrics;
mod queue;
mod receipt;
mod settings;

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use twin_platform::{Account, AwsError, Request, Response, Service, seam::Datum};

pub(crate) use self::message::Draft;
use self::queue::Queue;
use crate::now_ms;

/// Memory of one queue's messages, in bytes; a send beyond it is refused (`OverLimit`), where AWS has no limit. Less loses a
/// drill's backlog; more lets an alarm that nobody reads fill a laptop.
pub const CAPACITY_BYTES: usize = 64 << 20;

/// The service.
pub struct Sqs {
    account: Account,
    endpoint: String,
    queues: Mutex<Queues>,
}

/// All queues by name.
type Queues = BTreeMap<String, Queue>;

impl Sqs {
    /// The service without queues. `endpoint` is how callers reach it, e.g. `http://127.0.0.1:4566`; queue URLs start with it.
    pub fn new(account: Account, endpoint: impl Into<String>) -> Arc<Self> {
        let endpoint = endpoint.into().trim_end_matches('/').to_owned();
        Arc::new(Self { account, endpoint, queues: Mutex::default() })
    }

    /// What happened since the last call, and how things stand, as `AWS/SQS` metrics of every active queue. Call it once a
    /// platform minute. `now_ms` is milliseconds since the epoch, and the timestamp of all data.
    pub fn sample(&self, now_ms: i64) -> Vec<Datum> {
        self.queues().values_mut().flat_map(|queue| metrics::sample(queue, now_ms)).collect()
    }

    /// Puts a message into the queue of that ARN, for SNS.
    pub(crate) fn deliver(&self, queue_arn: &str, draft: Draft) -> Result<(), AwsError> {
        let mut queues = self.queues();
        let queue = queues.values_mut().find(|queue| queue.arn == queue_arn).ok_or_else(error::no_queue)?;
        draft.validate(&queue.settings)?;
        queue.send(draft, &self.account.id, now_ms()).map(|_sent| ())
    }

    fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint, self.account.id)
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        // A panic while holding it leaves whole messages or none, so the queues stay usable.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Sqs {
    fn service_name(&self) -> &str {
        "sqs"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://sqs\..*\.amazonaws\.com", r"https?://sqs\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(api::handle(self, request))
    }
}
