//! What the listeners of one load balancer share on the data plane.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
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
    /// Connections of clients.
    pub(crate) clients: Connections,
    idle_timeout_s: AtomicU32,
}

/// Connections that were accepted, and those of them that are still open.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: AtomicU64,
    accepted: AtomicU64,
}

impl Connections {
    pub(crate) fn begins(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ends(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Balancer {
    pub(crate) fn new(arn: &str, id: &str, host: Ipv4Addr, hooks: Arc<Hooks>) -> Arc<Self> {
        Arc::new(Self {
            arn: arn.into(),
            id: id.into(),
            host,
            hooks,
            clients: Connections::default(),
            idle_timeout_s: AtomicU32::new(60),
        })
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
