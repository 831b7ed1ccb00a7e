//! One registered target: its address, its health as the checks saw it, and the requests it has in hand.

use std::{
    net::SocketAddrV4,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use twin_platform::seam::TargetHealth;

use crate::{pool::Pool, settings::Settings};

/// Why a health check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Answered with a code that the matcher does not have.
    Mismatch(u16),
    /// Did not answer in time.
    Timeout,
    /// Refused, closed, or answered what is no HTTP.
    Failed,
}

/// States of `DescribeTargetHealth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Registering,
    Checking,
    Healthy,
    Unhealthy(Failure),
    NotInUse,
    Draining,
}

/// One registered target.
#[derive(Debug)]
pub(crate) struct Target {
    /// Where it listens.
    pub(crate) address: SocketAddrV4,
    /// As given at registration.
    pub(crate) zone: Option<String>,
    /// Its connections.
    pub(crate) pool: Pool,
    /// Ends its health checks.
    pub(crate) stop: CancellationToken,
    /// Ends what is left of its upgraded connections when its time to drain is over.
    pub(crate) cut: CancellationToken,
    in_flight: AtomicUsize,
    draining: AtomicBool,
    idle: Notify,
    status: Mutex<Status>,
}

#[derive(Debug)]
struct Status {
    health: Health,
    passed: u32,
    failed: u32,
}

/// One request in a target's hands. Dropped when the last byte of the response has been passed on, or the client has gone.
#[derive(Debug)]
pub(crate) struct Ticket(Arc<Target>);

impl Target {
    pub(crate) fn new(address: SocketAddrV4, zone: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            address,
            zone,
            pool: Pool::new(address),
            stop: CancellationToken::new(),
            cut: CancellationToken::new(),
            in_flight: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            idle: Notify::new(),
            status: Mutex::new(Status { health: Health::Registering, passed: 0, failed: 0 }),
        })
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request, unless the target is leaving. The count is raised *before* the look and `drain` looks at the count
    /// *after* its mark (both sequentially consistent), so no request slips between a deregistration and its end.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Ticket> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let ticket = Ticket(Arc::clone(self));
        (!self.draining.load(Ordering::SeqCst)).then_some(ticket)
    }

    /// How many requests it has in hand.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether it is leaving.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Takes no new request, forgets its unused connections and its checks. False when it was leaving already.
    pub(crate) fn drain(&self) -> bool {
        if self.draining.swap(true, Ordering::SeqCst) {
            return false;
        }
        self.status().health = Health::Draining;
        self.stop.cancel();
        self.pool.close_idle();
        true
    }

    /// Ends every request that is left, and every connection.
    pub(crate) fn abort(&self) {
        self.stop.cancel();
        self.cut.cancel();
        self.pool.abort();
    }

    /// Resolves when no request is left.
    pub(crate) async fn idle(&self) {
        loop {
            let woken = self.idle.notified();
            if self.in_flight.load(Ordering::SeqCst) == 0 {
                return;
            }
            woken.await;
        }
    }

    /// Its health.
    pub(crate) fn health(&self) -> Health {
        self.status().health
    }

    /// The group is in use (again) or not; a target that comes into use starts from the beginning.
    pub(crate) fn set_in_use(&self, in_use: bool) {
        let mut status = self.status();
        match (status.health, in_use) {
            (Health::Draining, _) => {}
            (Health::NotInUse, true) => *status = Status { health: Health::Registering, passed: 0, failed: 0 },
            (_, false) => status.health = Health::NotInUse,
            (_, true) => {}
        }
    }

    /// The first check is on its way.
    pub(crate) fn begin_check(&self) {
        let mut status = self.status();
        if status.health == Health::Registering {
            status.health = Health::Checking;
        }
    }

    /// Counts one check. A new target is in service after one pass; later both directions take as many in a row as the
    /// thresholds say ("Health checks for Application Load Balancer target groups"). True when the state changed.
    pub(crate) fn record(&self, outcome: Result<(), Failure>, settings: &Settings) -> bool {
        let mut status = self.status();
        let before = status.health;
        match outcome {
            Ok(()) => {
                status.passed += 1;
                status.failed = 0;
            }
            Err(_) => {
                status.failed += 1;
                status.passed = 0;
            }
        }
        status.health = match (before, outcome) {
            (Health::Checking, Ok(())) => Health::Healthy,
            (Health::Unhealthy(_), Ok(())) if status.passed >= settings.healthy_threshold => Health::Healthy,
            (Health::Healthy | Health::Checking, Err(failure)) if status.failed >= settings.unhealthy_threshold => {
                Health::Unhealthy(failure)
            }
            (Health::Unhealthy(_), Err(failure)) => Health::Unhealthy(failure),
            _ => before,
        };
        status.health != before
    }
}

impl Ticket {
    /// Who has the request.
    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.0
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.is_draining() {
            self.0.idle.notify_waiters();
        }
    }
}

impl Health {
    /// In AWS's words ("Target health status", "Health check reason codes").
    pub(crate) fn described(self) -> TargetHealth {
        let (state, reason, description) = match self {
            Self::Registering => ("initial", "Elb.RegistrationInProgress", "Target registration is in progress"),
            Self::Checking => ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress"),
            Self::Healthy => return TargetHealth { state: "healthy", reason: None, description: None },
            Self::Unhealthy(Failure::Mismatch(code)) => {
                return TargetHealth {
                    state: "unhealthy",
                    reason: Some("Target.ResponseCodeMismatch"),
                    description: Some(format!("Health checks failed with these codes: [{code}]")),
                };
            }
            Self::Unhealthy(Failure::Timeout) => ("unhealthy", "Target.Timeout", "Request timed out"),
            Self::Unhealthy(Failure::Failed) => ("unhealthy", "Target.FailedHealthChecks", "Health checks failed"),
            Self::NotInUse => (
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            ),
            Self::Draining => ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"),
        };
        TargetHealth { state, reason: Some(reason), description: Some(description.to_owned()) }
    }
}

/// What is said of an address that the group does not have.
pub(crate) fn not_registered() -> TargetHealth {
    TargetHealth {
        state: "unused",
        reason: Some("Target.NotRegistered"),
        description: Some("Target is not registered to the target group".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { healthy_threshold: 2, unhealthy_threshold: 3, ..Settings::default() }
    }

    fn target() -> Arc<Target> {
        Target::new(SocketAddrV4::new([127, 0, 0, 1].into(), 1), None)
    }

    #[test]
    fn one_pass_lets_a_new_target_in_and_thresholds_count_afterwards() {
        let (target, settings) = (target(), settings());
        target.begin_check();
        assert!(target.record(Ok(()), &settings));
        assert_eq!(target.health(), Health::Healthy);
        assert!(!target.record(Err(Failure::Timeout), &settings));
        assert!(!target.record(Err(Failure::Timeout), &settings));
        assert_eq!(target.health(), Health::Healthy, "two failures are below the threshold of three");
        assert!(target.record(Err(Failure::Mismatch(500)), &settings));
        assert_eq!(
            target.health().described().description.as_deref(),
            Some("Health checks failed with these codes: [500]")
        );
        assert!(!target.record(Ok(()), &settings));
        assert!(target.record(Ok(()), &settings));
        assert_eq!(target.health(), Health::Healthy);
    }

    #[test]
    fn a_new_target_stays_initial_until_the_unhealthy_threshold() {
        let (target, settings) = (target(), settings());
        assert_eq!(target.health().described().reason, Some("Elb.RegistrationInProgress"));
        target.begin_check();
        target.record(Err(Failure::Failed), &settings);
        assert_eq!(target.health().described().reason, Some("Elb.InitialHealthChecking"));
        target.record(Err(Failure::Failed), &settings);
        target.record(Err(Failure::Failed), &settings);
        assert_eq!(target.health().described().reason, Some("Target.FailedHealthChecks"));
    }

    #[test]
    fn a_leaving_target_takes_no_request() {
        let target = target();
        let ticket = target.enter().expect("it is not leaving");
        assert!(target.drain());
        assert!(!target.drain(), "leaving twice is leaving once");
        assert!(target.enter().is_none());
        assert_eq!(target.in_flight(), 1);
        drop(ticket);
        assert_eq!(target.in_flight(), 0);
    }
}
