//! Connections to one target: kept alive, used again last-in-first-out, closed after 60 s without a request.
//!
//! A request that meets a connection which the target closes in the same moment is *not* sent again: a real balancer answers
//! 502 there, and hiding it would hide the fault of a target whose keep-alive is shorter than the balancer's.

use std::{
    io,
    net::SocketAddrV4,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::AbortHandle};

use crate::body::RequestBody;

/// How long an unused connection is kept. Longer than a target's own keep-alive time means 502s by lost races, as at AWS.
const IDLE: Duration = Duration::from_secs(60);
/// How long connecting may take before the client gets a 504 (Application Load Balancer troubleshooting, "HTTP 504").
const CONNECT: Duration = Duration::from_secs(10);
/// The largest response head that is read from a target.
const MAX_HEAD: usize = 128 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("connecting to the target took longer than 10 s")]
    Timeout,
    #[error("connecting to the target failed")]
    Refused(#[source] io::Error),
    #[error("the HTTP handshake with the target failed")]
    Handshake(#[source] hyper::Error),
}

/// The connections to one target.
#[derive(Debug)]
pub(crate) struct Pool {
    address: SocketAddrV4,
    idle: Mutex<Vec<Idle>>,
    open: Mutex<Vec<AbortHandle>>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<RequestBody>,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(address: SocketAddrV4) -> Self {
        Self { address, idle: Mutex::default(), open: Mutex::default(), closed: AtomicBool::new(false) }
    }

    /// A connection that is ready for a request: an unused one, else a new one.
    pub(crate) async fn connection(&self) -> Result<SendRequest<RequestBody>, ConnectError> {
        if let Some(sender) = self.reuse() {
            return Ok(sender);
        }
        let stream = match tokio::time::timeout(CONNECT, TcpStream::connect(self.address)).await {
            Err(_) => return Err(ConnectError::Timeout),
            Ok(connected) => connected.map_err(ConnectError::Refused)?,
        };
        stream.set_nodelay(true).map_err(ConnectError::Refused)?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(ConnectError::Handshake)?;
        // Its errors reach the request that is on it; without one there is nobody to tell.
        let task = tokio::spawn(async move { drop(connection.with_upgrades().await) });
        let mut open = lock(&self.open);
        if open.len() >= 32 {
            open.retain(|task| !task.is_finished());
        }
        open.push(task.abort_handle());
        Ok(sender)
    }

    fn reuse(&self) -> Option<SendRequest<RequestBody>> {
        let mut idle = lock(&self.idle);
        let now = Instant::now();
        let mut at = idle.len();
        while at > 0 {
            at -= 1;
            if idle[at].sender.is_closed() || now.duration_since(idle[at].since) > IDLE {
                drop(idle.remove(at));
            } else if idle[at].sender.is_ready() {
                return Some(idle.remove(at).sender);
            }
            // Otherwise the connection's task has not yet seen that its last response is over; it will be ready next time.
        }
        None
    }

    /// Takes a connection back whose response has ended.
    pub(crate) fn give_back(&self, sender: SendRequest<RequestBody>) {
        if sender.is_closed() || self.closed.load(Ordering::Acquire) {
            return;
        }
        lock(&self.idle).push(Idle { sender, since: Instant::now() });
        // `close_idle` may have run between the look and the push.
        if self.closed.load(Ordering::Acquire) {
            lock(&self.idle).clear();
        }
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        lock(&self.open).iter().filter(|task| !task.is_finished()).count()
    }

    /// Closes what has not been used for a minute.
    pub(crate) fn sweep(&self) {
        lock(&self.idle).retain(|idle| idle.since.elapsed() <= IDLE && !idle.sender.is_closed());
    }

    /// Closes all unused connections and keeps none from now on: the target is leaving.
    pub(crate) fn close_idle(&self) {
        self.closed.store(true, Ordering::Release);
        lock(&self.idle).clear();
    }

    /// Cuts every connection, also those with a request on them.
    pub(crate) fn abort(&self) {
        self.close_idle();
        for task in lock(&self.open).drain(..) {
            task.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
