//! Seams for what comes later: metrics (`Observer`), access logs in S3 (`AccessLog`), the web application firewall (`Filter`).
//! Each is set at most once, before traffic; until then it costs one load and does nothing.

use std::{
    fmt,
    net::{SocketAddr, SocketAddrV4},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, request::Parts};

use crate::record::Finished;

/// Called once for each finished request and each failed connection: metrics in `AWS/ApplicationELB`. Must return at once.
pub trait Observer: Send + Sync {
    /// A request is over: answered, refused, or left by its client.
    fn finished(&self, request: &Finished);
    /// No connection to a target could be made (`TargetConnectionErrorCount`).
    fn connection_failed(&self, target_group_arn: &str, target: SocketAddrV4);
}

/// Takes access-log records; `Finished` displays as one line in AWS's format. Must return at once.
pub trait AccessLog: Send + Sync {
    /// The access log of a load balancer (`app/<name>/<id>`) is on, or off, from now on.
    fn turned(&self, load_balancer_id: &Arc<str>, on: bool);
    /// One request is over.
    fn write(&self, request: &Finished);
}

/// Looks at requests before they are routed: AWS WAF.
pub trait Filter: Send + Sync {
    /// Who looks at the next request to this load balancer; nobody when it is not protected. Asked once for each request, so
    /// that what wants the body is also what judges it. Must return at once.
    fn guard(&self, load_balancer_arn: &str) -> Option<Arc<dyn Guard>>;
}

/// Judges one request.
pub trait Guard: Send + Sync {
    /// Whether the start of the body is wanted, up to [`BODY_LIMIT`]. A request without one is not held up either way.
    fn wants_body(&self) -> bool;
    /// Whether the request goes on. Must return at once.
    fn inspect(&self, request: &Inspected<'_>) -> Verdict;
}

/// How much of a body a filter gets to see: AWS's fixed limit for load balancers ("Oversize web request components").
pub const BODY_LIMIT: usize = 8 * 1024;

/// What a filter sees of a request.
#[derive(Clone, Copy, Debug)]
pub struct Inspected<'a> {
    /// Who asks.
    pub client: SocketAddr,
    /// Method, URI, version and headers, as received.
    pub head: &'a Parts,
    /// The start of the body; empty when none was wanted or sent.
    pub body: &'a [u8],
    /// Whether the body is larger than [`BODY_LIMIT`].
    pub oversize: bool,
}

/// What a filter says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on, with these headers added.
    Allow(Vec<(HeaderName, HeaderValue)>),
    /// It is answered with the page of this status (WAF: 403).
    Block(u16),
    /// It is answered so.
    Answer(Box<CustomResponse>),
}

/// An answer that a filter gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those of every answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Media type and body, if there is one.
    pub body: Option<(&'static str, Bytes)>,
}

/// The seams of one twin.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) observer: OnceLock<Arc<dyn Observer>>,
    pub(crate) access_log: OnceLock<Arc<dyn AccessLog>>,
    pub(crate) filter: OnceLock<Arc<dyn Filter>>,
}

impl Hooks {
    /// A request is over.
    pub(crate) fn finished(&self, request: &Finished) {
        if let Some(observer) = self.observer.get() {
            observer.finished(request);
        }
        if let Some(log) = self.access_log.get() {
            log.write(request);
        }
        tracing::debug!(target: "twin_elbv2::access_log", "{request}");
    }

    /// A load balancer's access log was turned on or off.
    pub(crate) fn access_log_turned(&self, load_balancer_id: &Arc<str>, on: bool) {
        if let Some(log) = self.access_log.get() {
            log.turned(load_balancer_id, on);
        }
    }

    /// A connection to a target failed.
    pub(crate) fn connection_failed(&self, target_group_arn: &str, target: SocketAddrV4) {
        if let Some(observer) = self.observer.get() {
            observer.connection_failed(target_group_arn, target);
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
