//! Seams for what comes later: metrics (`Observer`), access logs in S3 (`AccessLog`), the web application firewall (`Filter`).
//! Each is set at most once, before traffic; until then it costs one load and does nothing.

use std::{
    fmt,
    net::{SocketAddr, SocketAddrV4},
    sync::{Arc, OnceLock},
};

use http::request::Parts;

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

/// Looks at a request before it is routed: AWS WAF. Must return at once.
pub trait Filter: Send + Sync {
    /// Whether the request to this load balancer goes on.
    fn inspect(&self, load_balancer_arn: &str, client: SocketAddr, head: &Parts) -> Verdict;
}

/// What a filter says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Allow,
    /// It is answered with this status (WAF: 403).
    Block(u16),
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
