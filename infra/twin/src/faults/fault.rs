//! One fault: what happens, to which calls, until when.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;

/// A drill is over after four hours, as a failure mode is.
const FOR_MAX_S: f64 = 14_400.0;
/// SDKs give up long before this.
const LATENCY_MAX_MS: u64 = 60_000;
/// A fault that hits nothing is a mistake.
const PERCENTAGE_MIN: f64 = 0.01;
/// More would be no throttling.
const RATE_MAX: f64 = 100_000.0;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Throttle,
    Unavailable,
    Refuse,
    Latency,
}

/// Whose calls are hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Principals {
    /// Tasks and operators, as an outage in AWS does.
    #[default]
    All,
    /// Tasks only, so that the operators can work on.
    Tasks,
}

/// As it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: Kind,
    /// Seconds of the wall clock.
    for_s: f64,
    /// Names of actions; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    actions: Vec<String>,
    /// Share of the calls that is hit.
    #[serde(default = "all")]
    percentage: f64,
    /// With `throttle`: calls a second that go through, as a quota has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_per_s: Option<f64>,
    /// With `latency`: how long a call waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(default)]
    principals: Principals,
}

fn all() -> f64 {
    100.0
}

/// As it acts.
#[derive(Debug)]
pub(super) struct Fault {
    wanted: Wanted,
    pub(super) kind: Kind,
    pub(super) latency: Duration,
    ends: Instant,
    quota: Option<Quota>,
    hits: u64,
}

impl Fault {
    /// Reads a fault, which begins now.
    ///
    /// # Errors
    /// One line that names what is wrong.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let wanted: Wanted = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let is_in = |value: f64, least: f64, most: f64| value.is_finite() && (least..=most).contains(&value);
        if !is_in(wanted.for_s, 1.0, FOR_MAX_S) {
            return Err(format!("for_s is {}: give 1 to {FOR_MAX_S} seconds", wanted.for_s));
        }
        if !is_in(wanted.percentage, PERCENTAGE_MIN, 100.0) {
            return Err(format!("percentage is {}: give {PERCENTAGE_MIN} to 100", wanted.percentage));
        }
        let latency = match (wanted.kind, wanted.latency_ms) {
            (Kind::Latency, Some(latency @ 1..=LATENCY_MAX_MS)) => Duration::from_millis(latency),
            (Kind::Latency, _) => return Err(format!("latency needs latency_ms from 1 to {LATENCY_MAX_MS}")),
            (_, Some(_)) => return Err("latency_ms belongs to the kind latency".into()),
            (_, None) => Duration::ZERO,
        };
        let quota = match (wanted.kind, wanted.rate_per_s) {
            (_, None) => None,
            (Kind::Throttle, Some(rate)) if is_in(rate, 0.01, RATE_MAX) => Some(Quota::new(rate)),
            (Kind::Throttle, Some(_)) => return Err(format!("rate_per_s: give 0.01 to {RATE_MAX}")),
            (_, Some(_)) => return Err("rate_per_s belongs to the kind throttle".into()),
        };
        if let Some(action) = wanted.actions.iter().find(|action| action.is_empty() || action.len() > 128) {
            return Err(format!("`{action}` is no name of an action"));
        }
        let ends = Instant::now() + Duration::from_secs_f64(wanted.for_s);
        Ok(Self { kind: wanted.kind, latency, ends, quota, hits: 0, wanted })
    }

    pub(super) fn is_active(&self) -> bool {
        Instant::now() < self.ends
    }

    /// Whether it hits this call, and counts it.
    pub(super) fn hits(&mut self, call: &Call, is_of_task: bool) -> bool {
        let Wanted { actions, percentage, principals, .. } = &self.wanted;
        let is_meant = (actions.is_empty() || actions.iter().any(|action| call.is_named(action)))
            && (is_of_task || *principals == Principals::All);
        if !is_meant || (*percentage < 100.0 && fastrand::f64() * 100.0 >= *percentage) {
            return false;
        }
        if self.quota.as_mut().is_some_and(Quota::takes) {
            return false;
        }
        self.hits += 1;
        true
    }

    /// What `GET` shows.
    pub(super) fn shown(&self, service: &str) -> Value {
        let mut shown = serde_json::to_value(&self.wanted).unwrap_or_default();
        shown["service"] = service.into();
        shown["ends_in_s"] =
            json!((self.ends.saturating_duration_since(Instant::now()).as_secs_f64() * 10.0).round() / 10.0);
        shown["hits"] = self.hits.into();
        shown
    }
}

/// A token bucket that holds one second.
#[derive(Debug)]
struct Quota {
    rate: f64,
    tokens: f64,
    filled: Instant,
}

impl Quota {
    fn new(rate: f64) -> Self {
        Self { rate, tokens: rate.max(1.0), filled: Instant::now() }
    }

    fn takes(&mut self) -> bool {
        let now = Instant::now();
        let earned = now.duration_since(self.filled).as_secs_f64() * self.rate;
        (self.tokens, self.filled) = ((self.tokens + earned).min(self.rate.max(1.0)), now);
        let takes = self.tokens >= 1.0;
        if takes {
            self.tokens -= 1.0;
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_is_named_in_one_line() {
        for (body, part) in [
            (r#"{"kind":"explode","for_s":5}"#, "unknown variant `explode`"),
            (r#"{"kind":"refuse"}"#, "missing field `for_s`"),
            (r#"{"kind":"refuse","for_s":0}"#, "give 1 to 14400 seconds"),
            (r#"{"kind":"refuse","for_s":14401}"#, "give 1 to 14400 seconds"),
            (r#"{"kind":"refuse","for_s":5,"percentage":0}"#, "percentage is 0: give 0.01 to 100"),
            (r#"{"kind":"refuse","for_s":5,"percentage":101}"#, "percentage is 101: give 0.01 to 100"),
            (r#"{"kind":"refuse","for_s":5,"rate_per_s":5}"#, "belongs to the kind throttle"),
            (r#"{"kind":"latency","for_s":5}"#, "latency needs latency_ms"),
            (r#"{"kind":"refuse","for_s":5,"forever":true}"#, "unknown field `forever`"),
            ("{", "EOF"),
        ] {
            let error = Fault::read(body.as_bytes()).expect_err(body);
            assert!(error.contains(part) && error.lines().count() == 1, "{body}: {error}");
        }
    }
}
