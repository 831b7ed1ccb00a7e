//! When tasks do not heal by themselves.
//!
//! Most faults end with the parameter: the balancer takes a target back, the scheduler starts a task again. A new deployment
//! costs much more time than waiting, so it is forced only for a complaint that lasts longer than healing takes.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use contract::{ErrorType, names::resource, names::route};

use crate::{
    observe::{Observation, Task, Via},
    probe::Probe,
    wording::short_id,
};

/// How long a task may take to answer its health route.
const HEALTHZ_TIMEOUT: Duration = Duration::from_millis(500);

/// A sign that a task does not heal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    kind: Kind,
    /// The task, or empty for the service as a whole.
    about: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It answers `/live` and fails `/healthz` when asked at its own address.
    Sick,
    /// It does not apply the current version of the parameter.
    Deaf,
    /// It runs and no target group knows it.
    NoTarget,
    /// The balancer calls it unhealthy for longer than it needs to take it back.
    Unhealthy,
    /// Too few tasks run, and none is on its way.
    Missing,
    /// `/db` is refused by the database although the secret logs in: the task kept old credentials.
    StaleCredentials,
    /// `/db` fails although the secret logs in.
    DatabaseOutOfReach,
}

impl Kind {
    /// How long healing takes at most, so that waiting longer is in vain.
    fn patience(self) -> Duration {
        match self {
            // A task re-reads its secret on the first refusal; a second one after that is for good.
            Self::StaleCredentials => Duration::from_millis(1500),
            // The parameter is refreshed every second.
            Self::Sick | Self::Deaf | Self::NoTarget => Duration::from_secs(5),
            // The scheduler paces the restarts of failing tasks.
            Self::Missing => Duration::from_secs(6),
            // Requests that queued for a lock hold it one after the other, 5 s each; replacing the tasks takes longer.
            Self::DatabaseOutOfReach => Duration::from_secs(15),
            // Two checks 30 s apart, and one for luck.
            Self::Unhealthy => Duration::from_secs(100),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Sick => "fails its health route",
            Self::Deaf => "does not apply the parameter",
            Self::NoTarget => "is not a target of the balancer",
            Self::Unhealthy => "stays unhealthy",
            Self::Missing => "tasks are missing and none is starting",
            Self::StaleCredentials => "tasks use credentials that the database refuses",
            Self::DatabaseOutOfReach => "tasks fail /db although the secret logs in",
        }
    }
}

impl Complaint {
    /// The tasks of the service answer `/db` with this error code although the database lets us in.
    pub(super) fn of_database_route(error_code: Option<&str>) -> Self {
        let refused = error_code == Some(ErrorType::DatabaseAuthenticationFailed.as_str());
        let kind = if refused { Kind::StaleCredentials } else { Kind::DatabaseOutOfReach };
        Self { kind, about: String::new() }
    }

    /// What can be said against the tasks now.
    pub(super) async fn of(seen: &Observation, probe: &Probe) -> Vec<Self> {
        let mut complaints = Self::seen(seen);
        let tasks = seen.tasks.known().map(Vec::as_slice).unwrap_or_default();
        for task in tasks.iter().filter(|task| task.is_running() && reached(seen, task)) {
            let Some(address) = task.private_ipv4 else { continue };
            let url = format!("http://{}{}", SocketAddr::from((address, resource::CONTAINER_PORT)), route::HEALTHZ);
            let good = probe.get(&url, HEALTHZ_TIMEOUT).await.is_ok_and(|reply| reply.status.is_success());
            if !good {
                complaints.push(Self { kind: Kind::Sick, about: task.id.clone() });
            }
        }
        complaints
    }

    fn seen(seen: &Observation) -> Vec<Self> {
        let mut complaints = Vec::new();
        let version = seen.parameter.known().map_or(0, |parameter| parameter.version);
        let tasks = seen.tasks.known().map(Vec::as_slice).unwrap_or_default();
        for task in tasks.iter().filter(|task| task.is_running()) {
            let mut complain = |kind| complaints.push(Self { kind, about: task.id.clone() });
            let effective = seen.effective.iter().find(|effective| effective.task == task.id);
            if effective.and_then(|effective| effective.version).is_none_or(|applied| applied != version) {
                complain(Kind::Deaf);
            }
            let address = task.private_ipv4.map(|address| address.to_string());
            let target = |targets: &Vec<crate::observe::Target>| {
                targets.iter().find(|target| Some(&target.id) == address.as_ref()).map(|target| target.state.clone())
            };
            match seen.targets.known().map(target) {
                Some(None) => complain(Kind::NoTarget),
                Some(Some(state)) if state == "unhealthy" => complain(Kind::Unhealthy),
                _ => {}
            }
        }
        if seen.service.known().is_some_and(|service| service.running < service.desired && service.pending == 0)
            && tasks.iter().all(Task::is_running)
        {
            complaints.push(Self { kind: Kind::Missing, about: String::new() });
        }
        complaints
    }
}

/// Whether the task answered at its own address just now.
fn reached(seen: &Observation, task: &Task) -> bool {
    seen.effective.iter().any(|effective| effective.task == task.id && effective.via == Some(Via::Address))
}

/// Since when each complaint has been there without a break.
#[derive(Debug, Default)]
pub(super) struct Patience {
    since: BTreeMap<Complaint, Instant>,
}

impl Patience {
    /// Takes the complaints of one look; says why to stop waiting when one of them has lasted too long.
    pub(super) fn exhausted(&mut self, complaints: Vec<Complaint>) -> Option<String> {
        self.exhausted_at(complaints, Instant::now())
    }

    fn exhausted_at(&mut self, complaints: Vec<Complaint>, now: Instant) -> Option<String> {
        self.since.retain(|complaint, _| complaints.contains(complaint));
        for complaint in complaints {
            self.since.entry(complaint).or_insert(now);
        }
        let (complaint, since) =
            self.since.iter().find(|(complaint, since)| now.duration_since(**since) >= complaint.kind.patience())?;
        let words = complaint.kind.words();
        let lasted_s = now.duration_since(*since).as_secs_f64();
        Some(match complaint.about.as_str() {
            "" => format!("{words}, for {lasted_s:.1} s"),
            task => format!("task {} {words}, for {lasted_s:.1} s", short_id(task)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn sick() -> Complaint {
        Complaint { kind: Kind::Sick, about: "t1".into() }
    }

    #[test]
    fn a_complaint_must_last_without_a_break() {
        let mut patience = Patience::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(patience.exhausted_at(vec![sick()], at(0)), None);
        assert_eq!(patience.exhausted_at(vec![], at(4)), None);
        assert_eq!(patience.exhausted_at(vec![sick()], at(6)), None, "the clock must start anew");
        let reason = patience.exhausted_at(vec![sick()], at(11));
        assert_eq!(reason.as_deref(), Some("task t1 fails its health route, for 5.0 s"));
    }

    #[test]
    fn what_is_seen_becomes_a_complaint() {
        let kinds = |seen: &Observation| -> Vec<Kind> {
            Complaint::seen(seen).into_iter().map(|complaint| complaint.kind).collect()
        };
        assert_eq!(kinds(&sample::healthy()), []);
        let mut deaf = sample::healthy();
        deaf.effective[0].version = Some(1);
        assert_eq!(kinds(&deaf), [Kind::Deaf]);
        let mut unregistered = sample::healthy();
        sample::targets(&mut unregistered).truncate(1);
        assert_eq!(kinds(&unregistered), [Kind::NoTarget]);
        let mut missing = sample::healthy();
        sample::service(&mut missing).running = 1;
        assert_eq!(kinds(&missing), [Kind::Missing]);
        sample::service(&mut missing).pending = 1;
        assert_eq!(kinds(&missing), [], "one is on its way");
    }
}
