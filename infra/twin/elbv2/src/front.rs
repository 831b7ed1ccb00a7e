//! One listener's side of the data plane: where it listens, its rules now, and one client connection.

use std::{
    net::{SocketAddr, SocketAddrV4},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;
use http::HeaderValue;

use crate::{balancer::Balancer, record::Finished, rules::Table};

/// One listener.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) balancer: Arc<Balancer>,
    pub(crate) address: SocketAddrV4,
    /// `X-Forwarded-Port`.
    pub(crate) port: HeaderValue,
    /// The rules now, read once for each request.
    pub(crate) table: ArcSwap<Table>,
}

impl Front {
    pub(crate) fn new(balancer: Arc<Balancer>, port: u16, table: Table) -> Arc<Self> {
        let address = SocketAddrV4::new(balancer.host, port);
        Arc::new(Self { balancer, address, port: HeaderValue::from(port), table: ArcSwap::from_pointee(table) })
    }

    /// The record of a request that could not be read, which is also the start of every other record.
    pub(crate) fn unreadable(&self, client: SocketAddr, status: u16) -> Finished {
        Finished::unreadable(&self.balancer.arn, &self.balancer.id, self.address, client, status)
    }
}

/// One client connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) front: Arc<Front>,
    pub(crate) address: SocketAddr,
    /// Answers under way with a status that the HTTP reader below also uses, so that the two can be told apart.
    ambiguous: AtomicUsize,
}

impl Client {
    pub(crate) fn new(front: Arc<Front>, address: SocketAddr) -> Arc<Self> {
        front.balancer.clients.begins();
        Arc::new(Self { front, address, ambiguous: AtomicUsize::new(0) })
    }

    /// An answer with this status goes to the reader below.
    pub(crate) fn answers(&self, status: u16) {
        if is_ambiguous(status) {
            self.ambiguous.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a head with this status, now being written, is the reader's own: it refused what it could not read.
    pub(crate) fn refused_below(&self, status: u16) -> bool {
        is_ambiguous(status)
            && self.ambiguous.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1)).is_err()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.front.balancer.clients.ends();
    }
}

fn is_ambiguous(status: u16) -> bool {
    matches!(status, 400 | 414 | 431)
}
