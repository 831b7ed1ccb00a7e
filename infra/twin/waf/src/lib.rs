//! AWS WAF (v2) on a laptop: the API of regional web ACLs, and the firewall that they are, in front of the load balancer.
//!
//! Promises: what the API accepts judges real requests, from the next one on; rules run by priority with AWS's actions, labels,
//! overrides and capacity; metrics and samples say what happened. Memory is bounded: rate tables (`engine::rate`), samples
//! (`samples`).
//!
//! Refuses, by name: CAPTCHA and challenges, geography and AS numbers, TLS fingerprints, header order, logging, managed groups other
//! than three, the scope CLOUDFRONT, resources other than load balancers, Firewall Manager.

mod actions;
mod clock;
mod compile;
mod engine;
mod error;
mod managed;
mod metrics;
mod samples;
mod state;
mod tally;

use std::{
    collections::HashMap,
    fmt,
    future::{Future, ready},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use twin_elbv2::{Elbv2, Filter, Guard};
use twin_platform::{Account, Request, Response, Service, Speed};

use crate::{clock::Clock, compile::Surroundings, engine::program::Program, state::State};

/// The service, and the filter of the load balancers.
pub struct Waf {
    account: Account,
    speed: Speed,
    clock: Clock,
    elbv2: Arc<Elbv2>,
    state: Mutex<State>,
    /// What looks at the requests of which load balancer, for the data plane.
    guards: ArcSwap<HashMap<String, Arc<Program>>>,
}

impl Waf {
    /// A service without web ACLs, for these load balancers. Whoever makes it also sets it as their filter.
    pub fn new(account: Account, speed: Speed, elbv2: Arc<Elbv2>) -> Arc<Self> {
        let (clock, state, guards) = (Clock::start(), Mutex::default(), ArcSwap::default());
        Arc::new(Self { account, speed, clock, elbv2, state, guards })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding it leaves whole resources or none.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What rules of this state are compiled with.
    fn surroundings<'a>(&'a self, state: &'a State, previous: Option<&'a Program>) -> Surroundings<'a> {
        Surroundings { account: &self.account, speed: self.speed, clock: self.clock, state, previous }
    }

    /// Lets the data plane see what is associated with what now.
    fn publish(&self, state: &State) {
        self.guards.store(Arc::new(state.guards()));
    }

    /// Every program that may have counted something, replaced ones for the last time.
    fn programs(&self) -> Vec<Arc<Program>> {
        let mut state = self.state();
        let mut programs = std::mem::take(&mut state.retired);
        programs.extend(state.web_acls.iter().map(|(_, acl)| Arc::clone(&acl.program)));
        programs
    }
}

impl fmt::Debug for Waf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waf").finish_non_exhaustive()
    }
}

impl Filter for Waf {
    fn guard(&self, load_balancer_arn: &str) -> Option<Arc<dyn Guard>> {
        self.guards.load().get(load_balancer_arn).map(|program| Arc::clone(program) as Arc<dyn Guard>)
    }
}

impl Service for Waf {
    fn service_name(&self) -> &str {
        "wafv2"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://wafv2\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(ready(actions::handle(self, &request)))
    }
}
