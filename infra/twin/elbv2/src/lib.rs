//! Elastic Load Balancing v2 on a laptop: the API of application load balancers, and a data plane that behaves as one.
//!
//! Promises: what the API accepts really happens to real requests on real sockets. A load balancer's `DNSName` is the address
//! its listeners listen on (plain text such as `127.0.0.1`, so every HTTP client resolves it), and a listener's port is a real
//! port of this machine; two load balancers therefore cannot listen on the same port. Target groups have target type `ip`,
//! protocol HTTP, and loopback targets only. Subnets, security groups and VPC ids are kept as given: there is no network.
//!
//! Refuses, by name: HTTPS, Lambda and instance targets, stickiness, slow start, authentication, rewrites, IPv6, network and
//! gateway load balancers. The time factor divides health-check intervals, the registration phase and deregistration delays; it
//! does not divide `idle_timeout.timeout_seconds`, which is a request's time-out (60 s until changed), nor timestamps.
//!
//! Two planes. The *control plane* (`api`, `state`) is a mutex and plain data. The *data plane* (`listener`, `proxy`,
//! `forward`, `group`, `target`, `pool`) reads snapshots that the control plane publishes and takes no lock that is held for
//! longer than a push or a pop.

mod access_log;
mod api;
mod attributes;
mod balancer;
mod body;
mod client_io;
mod counts;
mod exchange;
mod filter;
mod forward;
mod front;
mod group;
mod headers;
mod health;
pub mod hooks;
mod listener;
mod page;
mod pattern;
mod pool;
mod proxy;
pub mod record;
mod routes;
mod rules;
mod settings;
mod shift;
mod state;
mod target;

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddrV4},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use twin_platform::{
    Account, AwsError, Request, Response, Service, Speed, query,
    seam::{TargetHealth, Targets},
    xml,
};

pub use crate::{
    access_log::AccessLogPlace,
    counts::{BalancerCounts, GroupCounts, metric_name},
    hooks::{AccessLog, BODY_LIMIT, CustomResponse, Filter, Guard, Inspected, Observer, Verdict},
    record::Finished,
};
use crate::{hooks::Hooks, state::State};

/// The service. Calls need a tokio runtime around them.
#[derive(Debug)]
pub struct Elbv2 {
    account: Account,
    speed: Speed,
    host: Ipv4Addr,
    hooks: Arc<Hooks>,
    state: Mutex<State>,
}

impl Elbv2 {
    /// The service of an account, without load balancers yet. `load_balancer_host` is where listeners will listen.
    pub fn new(account: Account, speed: Speed, load_balancer_host: Ipv4Addr) -> Arc<Self> {
        Arc::new(Self { account, speed, host: load_balancer_host, hooks: Arc::default(), state: Mutex::default() })
    }

    /// Sets who counts requests. The first call wins; call before traffic.
    pub fn set_observer(&self, observer: Arc<dyn Observer>) {
        let _ = self.hooks.observer.set(observer);
    }

    /// Sets who takes access-log lines. The first call wins; call before traffic.
    pub fn set_access_log(&self, access_log: Arc<dyn AccessLog>) {
        let _ = self.hooks.access_log.set(access_log);
    }

    /// Sets who looks at requests before they are routed. The first call wins; call before traffic.
    pub fn set_filter(&self, filter: Arc<dyn Filter>) {
        let _ = self.hooks.filter.set(filter);
    }

    /// Connections and healthy targets of each load balancer now.
    pub fn counts(&self) -> Vec<BalancerCounts> {
        counts::now(&self.state())
    }

    /// Whether there is a load balancer with this ARN.
    pub fn has_load_balancer(&self, arn: &str) -> bool {
        self.state().balancers.iter().any(|balancer| *balancer.shared.arn == *arn)
    }

    /// Where each load balancer's access log goes, for those whose attributes turn it on.
    pub fn access_logs(&self) -> Vec<AccessLogPlace> {
        access_log::places(&self.state())
    }

    /// Stops accepting, lets requests under way end (at most five seconds), closes everything.
    pub async fn shutdown(&self) {
        let (listeners, groups) = {
            let mut state = self.state();
            let balancers = std::mem::take(&mut state.balancers);
            let mut listeners = std::mem::take(&mut state.closing);
            listeners.extend(
                balancers.into_iter().flat_map(|balancer| balancer.listeners).map(|listener| listener.listening),
            );
            (listeners, std::mem::take(&mut state.groups))
        };
        let mut closing = Vec::new();
        for listener in listeners {
            closing.push(listener.close().await);
        }
        for task in closing {
            // A task that panicked has closed its connections too.
            let _ = task.await;
        }
        for group in groups {
            group.close();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the ports that a call has closed are free.
    async fn free_ports(&self) {
        let closing = std::mem::take(&mut self.state().closing);
        for listener in closing {
            // The rest of its requests end on their own.
            drop(listener.close().await);
        }
    }
}

impl Service for Elbv2 {
    fn service_name(&self) -> &str {
        "elasticloadbalancing"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://elasticloadbalancing\..*\.amazonaws\.com", r"https?://elasticloadbalancing\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let response = api::call(self, &request).unwrap_or_else(|error| error.xml());
            self.free_ports().await;
            response
        })
    }
}

#[async_trait]
impl Targets for Elbv2 {
    async fn register(&self, target_group_arn: &str, address: Ipv4Addr, port: u16) -> Result<(), AwsError> {
        api::target::allowed(address)?;
        self.state().group(target_group_arn)?.register(SocketAddrV4::new(address, port), None, self.speed);
        Ok(())
    }

    async fn deregister(&self, target_group_arn: &str, address: Ipv4Addr, port: u16) -> Result<(), AwsError> {
        // An address that is not registered is no error, as in the API.
        self.state().group(target_group_arn)?.deregister(SocketAddrV4::new(address, port), self.speed);
        Ok(())
    }

    async fn health(&self, target_group_arn: &str, address: Ipv4Addr, port: u16) -> Option<TargetHealth> {
        let group = self.state().group(target_group_arn).ok()?.clone();
        group.target(SocketAddrV4::new(address, port)).map(|target| target.health().described())
    }

    async fn exists(&self, target_group_arn: &str) -> bool {
        self.state().group(target_group_arn).is_ok()
    }

    async fn forwards(&self, rule_arn: &str) -> Option<Vec<(String, u32)>> {
        self.state().forwards(rule_arn)
    }

    async fn shift(&self, rule_arn: &str, weights: &[(String, u32)]) -> Result<(), AwsError> {
        self.state().shift(rule_arn, weights)
    }
}
