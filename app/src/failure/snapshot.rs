//! One value of the parameter as this task understands it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use contract::failure::{Fault, Plan, RequestView};
use http::HeaderValue;
use time::OffsetDateTime;

use super::ParameterValue;
use crate::identity::Identity;

/// The parameter's value, taken whole or refused whole.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Version in the store; 0 when there is no parameter or none was read yet.
    pub version: i64,
    /// When it was written.
    pub last_modified: Option<OffsetDateTime>,
    /// What it asks of all tasks.
    pub desired: Plan,
    /// What of that is meant for this task.
    pub active: Vec<Arc<Active>>,
    /// Why the value was refused.
    pub refusal: Option<String>,
    /// [`Self::version`] as a header value, made once.
    pub(super) header: HeaderValue,
}

/// One fault that hits this task.
#[derive(Debug)]
pub(crate) struct Active {
    /// What it is.
    pub fault: Fault,
    /// When it ends by the clock.
    pub ends_at: OffsetDateTime,
    /// Whether the mode's name stays out of logs, spans and replies: one blind fault hides the whole value.
    pub is_blind: bool,
    matched: AtomicU64,
}

impl Active {
    /// Whether the clock has not ended it.
    pub(crate) fn is_running(&self, now: OffsetDateTime) -> bool {
        now < self.ends_at
    }

    /// Whether this request is hit; draws the lot, so ask once per request.
    pub(crate) fn hits(&self, request: &impl RequestView) -> bool {
        self.fault.mode.name().is_per_request()
            && self.fault.matches(request)
            && self.fault.draws(self.matched.fetch_add(1, Ordering::Relaxed), fastrand::f64)
    }
}

impl Snapshot {
    /// Nothing is broken; no parameter is known.
    pub(crate) fn empty() -> Self {
        Self {
            version: 0,
            last_modified: None,
            desired: Plan::none(),
            active: Vec::new(),
            refusal: None,
            header: HeaderValue::from_static("0"),
        }
    }

    /// Understands a value. A refused value is an empty plan with a reason, never a part of one.
    pub(crate) fn read(read: &ParameterValue, identity: &Identity, max_s: u64) -> Self {
        let (desired, refusal) = match Plan::parse(&read.value) {
            Ok(plan) => (plan, None),
            // A blind value that is refused must not give its mode away through the reason.
            Err(_) if contract::failure::is_blind(&read.value) => {
                (Plan::none(), Some("the value is refused; it asks to be blind, so the reason is kept back".to_owned()))
            }
            Err(error) => (Plan::none(), Some(error.to_string())),
        };
        let active = desired
            .faults()
            .iter()
            .filter(|fault| fault.hits_task(&identity.task_id, &identity.availability_zone))
            .map(|fault| {
                let ends_at = fault.ends_at(read.last_modified, max_s);
                Arc::new(Active {
                    fault: fault.clone(),
                    ends_at,
                    is_blind: desired.is_blind(),
                    matched: AtomicU64::new(0),
                })
            })
            .collect();
        Self {
            version: read.version,
            last_modified: Some(read.last_modified),
            desired,
            active,
            refusal,
            header: HeaderValue::from(read.version),
        }
    }

    /// Whether it was made from the same write, so that its counters may go on.
    pub(super) fn is_of(&self, read: &ParameterValue) -> bool {
        self.version == read.version && self.last_modified == Some(read.last_modified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameter(value: &str) -> ParameterValue {
        ParameterValue { value: value.into(), version: 3, last_modified: OffsetDateTime::now_utc() }
    }

    proptest! {
        #[test]
        fn any_value_applies_whole_or_not_at_all(
            text in prop_oneof![
                any::<String>(),
                r#"\[?\{"mode":"(hang|latency|cpu_burn|nope)"(,"percentage":[0-9]{1,3})?(,"bogus":1)?\},?(\{"mode":"crash"\})?\]?"#,
            ],
        ) {
            let identity = Identity::local(None);
            let snapshot = Snapshot::read(&parameter(&text), &identity, 60);
            match Plan::parse(&text) {
                Ok(plan) => {
                    prop_assert_eq!(snapshot.active.len(), plan.faults().len());
                    prop_assert!(snapshot.refusal.is_none());
                }
                Err(_) => {
                    prop_assert!(snapshot.active.is_empty() && snapshot.desired.is_none());
                    prop_assert!(snapshot.refusal.is_some());
                }
            }
            prop_assert_eq!(snapshot.header.to_str().expect("digits"), "3");
        }
    }

    #[test]
    fn only_the_tasks_that_are_meant_are_hit() {
        let identity = Identity::local(None);
        let mine = format!(r#"{{"mode":"hang","tasks":{{"ids":["{}"]}}}}"#, identity.task_id);
        assert_eq!(Snapshot::read(&parameter(&mine), &identity, 60).active.len(), 1);
        let other = r#"{"mode":"hang","tasks":{"ids":["other"]}}"#;
        let snapshot = Snapshot::read(&parameter(other), &identity, 60);
        assert!(snapshot.active.is_empty() && !snapshot.desired.is_none());
    }
}
