//! Outages on purpose: one service at a time is throttled, unavailable, slow, or does not answer, for a bounded time.
//!
//! For drills alone, by a path of ours (`/_twin/faults`), since AWS has no such API. A fault ends by itself, at the latest after
//! four hours of the wall clock. It hits calls at the endpoint, whoever makes them unless `principals` says `tasks`; what one service
//! does in another inside the twin (a secret for a container, its log lines, an alarm's action) goes on.

mod api;
mod fault;
mod wording;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use twin_platform::AwsError;

pub(crate) use self::api::router;
use self::fault::{Fault, Kind};
use crate::call::Call;

/// The faults, at most one for each service, by SigV4 scope.
#[derive(Default)]
pub(crate) struct Faults(Mutex<BTreeMap<&'static str, Fault>>);

/// What becomes of a call.
#[derive(Debug, PartialEq)]
pub(crate) enum Fate {
    /// It goes on.
    Through,
    /// It goes on after a while.
    Late(Duration),
    /// It is answered with this error.
    Answered(AwsError),
    /// Its connection is closed.
    Closed,
}

impl Faults {
    /// Decides on one call.
    pub(crate) fn fate(&self, call: &Call, is_of_task: bool) -> Fate {
        let mut faults = self.held();
        let Some(fault) = faults.get_mut(call.service.as_str()) else { return Fate::Through };
        if !fault.hits(call, is_of_task) {
            return Fate::Through;
        }
        match fault.kind {
            Kind::Throttle => Fate::Answered(wording::throttled(&call.service)),
            Kind::Unavailable => Fate::Answered(wording::unavailable(&call.service)),
            Kind::Refuse => Fate::Closed,
            Kind::Latency => Fate::Late(fault.latency),
        }
    }

    /// The faults that have not ended.
    fn held(&self) -> MutexGuard<'_, BTreeMap<&'static str, Fault>> {
        // Nothing is half-changed when a holder panics.
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|_, fault| fault.is_active());
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::refusal::Shape;

    fn call(service: &str, action: &str) -> Call {
        Call { service: service.into(), action: action.into(), shape: Shape::Json, access_key: None }
    }

    fn with(service: &'static str, value: serde_json::Value) -> Faults {
        let faults = Faults::default();
        faults.held().insert(service, Fault::read(&value.to_string().into_bytes()).expect("a good fault"));
        faults
    }

    #[test]
    fn a_fault_hits_its_service_its_actions_and_its_callers() {
        let faults =
            with("ssm", json!({"kind": "refuse", "for_s": 60, "actions": ["GetParameter"], "principals": "tasks"}));
        assert_eq!(faults.fate(&call("ssm", "GetParameter"), true), Fate::Closed);
        for (call, is_of_task) in [
            (call("ssm", "PutParameter"), true),
            (call("s3", "GetParameter"), true),
            (call("ssm", "GetParameter"), false),
        ] {
            assert_eq!(faults.fate(&call, is_of_task), Fate::Through, "{call:?}");
        }
    }

    #[test]
    fn a_quota_lets_its_rate_through_and_a_percentage_its_rest() {
        let faults = with("ssm", json!({"kind": "throttle", "for_s": 60, "rate_per_s": 5}));
        let through = (0..50).filter(|_| faults.fate(&call("ssm", "GetParameter"), true) == Fate::Through).count();
        assert!((5..=6).contains(&through), "{through} of a burst");
        let faults = with("ssm", json!({"kind": "unavailable", "for_s": 60, "percentage": 30}));
        let hit = (0..2000).filter(|_| faults.fate(&call("ssm", "GetParameter"), true) != Fate::Through).count();
        assert!((450..750).contains(&hit), "{hit} of 2000 at 30 %");
    }

    #[test]
    fn it_is_worded_as_the_service_does() {
        let faults = with("s3", json!({"kind": "throttle", "for_s": 1}));
        let Fate::Answered(error) = faults.fate(&call("s3", "GET /b"), false) else { panic!("throttled") };
        assert_eq!((error.status, error.code.as_str()), (503, "SlowDown"));
        let faults = with("ssm", json!({"kind": "latency", "for_s": 1, "latency_ms": 200}));
        assert_eq!(faults.fate(&call("ssm", "GetParameter"), false), Fate::Late(Duration::from_millis(200)));
    }
}
