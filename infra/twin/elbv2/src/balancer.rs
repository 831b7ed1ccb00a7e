//! What the listeners of one load balancer share on the data plane.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::hooks::Hooks;

/// One load balancer as its requests see it.
#[derive(Debug)]
pub(crate) struct Balancer {
    pub(crate) arn: Arc<str>,
    /// `app/<name>/<id>`, as access logs and metrics name it.
    pub(crate) id: Arc<str>,
    /// Where its listeners listen.
    pub(crate) host: Ipv4Addr,
    pub(crate) hooks: Arc<Hooks>,
    idle_timeout_s: AtomicU32,
}

impl Balancer {
    pub(crate) fn new(arn: &str, id: &str, host: Ipv4Addr, hooks: Arc<Hooks>) -> Arc<Self> {
        Arc::new(Self { arn: arn.into(), id: id.into(), host, hooks, idle_timeout_s: AtomicU32::new(60) })
    }

    /// `idle_timeout.timeout_seconds`: how long client and target may be silent. It is a request's time-out and not the
    /// platform's waiting, so the time factor does not divide it.
    pub(crate) fn idle_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle_timeout_s.load(Ordering::Relaxed)))
    }

    /// Changes the idle timeout for the requests that come.
    pub(crate) fn set_idle_timeout(&self, seconds: u32) {
        self.idle_timeout_s.store(seconds, Ordering::Relaxed);
    }
}
