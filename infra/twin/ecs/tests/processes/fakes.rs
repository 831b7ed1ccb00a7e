//! Stand-ins for the neighbours: a balancer that checks by connecting, a log store, a secret store.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::Ipv4Addr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use twin_platform::{
    AwsError,
    seam::{AlarmStates, LogLine, LogSink, Roles, SecretValues, Session, TargetHealth, Targets},
};

pub(crate) const TARGET_GROUP: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/golden/0123456789abcdef";
pub(crate) const GREEN_TARGET_GROUP: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/golden-green/fedcba9876543210";
/// How long the fake drains.
pub(crate) const DRAIN: Duration = Duration::from_millis(300);

type Target = (String, Ipv4Addr, u16);

#[derive(Default)]
pub(crate) struct FakeTargets {
    /// Registered targets, with the start of their draining.
    registered: Mutex<HashMap<Target, Option<Instant>>>,
    /// When set, every target is unhealthy for this reason.
    pub(crate) failing: Mutex<Option<String>>,
    /// Weights of the target groups behind each listener rule.
    pub(crate) rules: Mutex<HashMap<String, Vec<(String, u32)>>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeTargets {
    /// Where a rule sends requests.
    pub(crate) fn weights(&self, rule: &str) -> Vec<(String, u32)> {
        held(&self.rules).get(rule).cloned().unwrap_or_default()
    }

    /// How many targets of the group do not drain.
    pub(crate) fn count(&self, group: &str) -> usize {
        held(&self.registered).iter().filter(|((of, ..), draining)| of == group && draining.is_none()).count()
    }
}

#[async_trait]
impl Targets for FakeTargets {
    async fn register(&self, group: &str, address: Ipv4Addr, port: u16) -> Result<(), AwsError> {
        held(&self.registered).insert((group.to_owned(), address, port), None);
        Ok(())
    }

    async fn deregister(&self, group: &str, address: Ipv4Addr, port: u16) -> Result<(), AwsError> {
        if let Some(draining) = held(&self.registered).get_mut(&(group.to_owned(), address, port)) {
            draining.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    async fn health(&self, group: &str, address: Ipv4Addr, port: u16) -> Option<TargetHealth> {
        let target = (group.to_owned(), address, port);
        let draining = *held(&self.registered).get(&target)?;
        let health = |state, description| Some(TargetHealth { state, reason: None, description });
        if let Some(since) = draining {
            if since.elapsed() >= DRAIN {
                held(&self.registered).remove(&target);
                return None;
            }
            return health("draining", None);
        }
        let failing = held(&self.failing).clone();
        match (failing, tokio::net::TcpStream::connect((address, port)).await) {
            (Some(reason), _) => health("unhealthy", Some(reason)),
            (None, Ok(_)) => health("healthy", None),
            (None, Err(_)) => health("initial", None),
        }
    }

    async fn exists(&self, group: &str) -> bool {
        [TARGET_GROUP, GREEN_TARGET_GROUP].contains(&group)
    }

    async fn forwards(&self, rule: &str) -> Option<Vec<(String, u32)>> {
        held(&self.rules).get(rule).cloned()
    }

    async fn shift(&self, rule: &str, weights: &[(String, u32)]) -> Result<(), AwsError> {
        held(&self.rules).insert(rule.to_owned(), weights.to_vec());
        Ok(())
    }
}

/// Alarms by name, with their states.
#[derive(Default)]
pub(crate) struct FakeAlarms {
    pub(crate) states: Mutex<HashMap<String, &'static str>>,
}

impl AlarmStates for FakeAlarms {
    fn state_of(&self, alarm_name: &str) -> Option<&'static str> {
        held(&self.states).get(alarm_name).copied()
    }
}

#[derive(Default)]
pub(crate) struct FakeLogs {
    pub(crate) groups: Mutex<HashSet<String>>,
    pub(crate) streams: Mutex<BTreeMap<String, Vec<String>>>,
}

impl FakeLogs {
    pub(crate) fn lines_of(&self, stream: &str) -> Vec<String> {
        held(&self.streams).get(stream).cloned().unwrap_or_default()
    }
}

#[async_trait]
impl LogSink for FakeLogs {
    async fn create_stream(&self, group: &str, stream: &str) -> Result<(), AwsError> {
        if !held(&self.groups).contains(group) {
            return Err(AwsError::client("ResourceNotFoundException", "The specified log group does not exist."));
        }
        held(&self.streams).insert(stream.to_owned(), Vec::new());
        Ok(())
    }

    async fn append(&self, _group: &str, stream: &str, lines: Vec<LogLine>) -> Result<(), AwsError> {
        let lines = lines.into_iter().map(|line| line.message);
        held(&self.streams).entry(stream.to_owned()).or_default().extend(lines);
        Ok(())
    }
}

pub(crate) struct FakeSecrets;

#[async_trait]
impl SecretValues for FakeSecrets {
    async fn resolve(&self, value_from: &str, _reader: Option<&Session>) -> Result<String, AwsError> {
        match value_from.rsplit(':').next() {
            Some("known") => Ok("the-secret".into()),
            _ => Err(AwsError::client("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")),
        }
    }
}

/// Knows every role but `missing`, and lets `silent` write no log.
pub(crate) struct FakeRoles;

impl Roles for FakeRoles {
    fn assumable(&self, role_arn: &str) -> bool {
        !role_arn.ends_with("/missing")
    }

    fn authorize(&self, session: &Session, action: &str, resource: &str) -> Result<(), AwsError> {
        match session.role_arn.ends_with("/silent") && action.starts_with("logs:") {
            true => Err(AwsError::client("AccessDeniedException", format!("{} {action} {resource}", session.name))),
            false => Ok(()),
        }
    }
}
