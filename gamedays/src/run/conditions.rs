//! What must hold of a well service, now: the scenario's probes, a load that is served, and nothing switched off.

use time::OffsetDateTime;

use super::{
    traffic::Window,
    watch::{Guard, Sight},
};
use crate::scenario::{Probe, Quantity};

/// What does not hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unmet {
    /// A line each.
    pub(super) reasons: Vec<String>,
    /// Until when it was bad at least, and how that is known; none when all is well.
    pub(super) bad_until: Option<(OffsetDateTime, String)>,
}

impl Unmet {
    pub(super) fn of(
        probes: &[Probe],
        window: &Window,
        sight: Option<&Sight>,
        before: Option<&Guard>,
        now: OffsetDateTime,
    ) -> Self {
        let mut unmet = Self::default();
        let of_load = |reason: &str| {
            let (at, words) = window.last_bad.clone().unwrap_or_else(|| (now, reason.to_owned()));
            // A load that is not answered has no bad samples yet.
            if window.answered < 0.5 { (now, reason.to_owned()) } else { (at, words) }
        };
        if let Err(reason) = window.served() {
            unmet.add(of_load(&reason), reason);
        }
        for probe in probes {
            let (value, load) = match probe.quantity {
                Quantity::ErrorRatePercent => (window.error_rate, true),
                Quantity::P95Ms => (window.p95_ms, true),
                other => (sight.and_then(|sight| sight.value(other)), false),
            };
            if let Err(reason) = probe.judge(value) {
                let until = if load { of_load(&reason) } else { (now, reason.clone()) };
                unmet.add(until, reason);
            }
        }
        if let (Some(before), Some(now_guard)) = (before, sight.and_then(|sight| sight.guard.as_ref())) {
            for reason in now_guard.broken(before) {
                unmet.add((now, reason.clone()), reason);
            }
        }
        unmet
    }

    fn add(&mut self, until: (OffsetDateTime, String), reason: String) {
        if self.bad_until.as_ref().is_none_or(|(at, _)| *at < until.0) {
            self.bad_until = Some(until);
        }
        self.reasons.push(reason);
    }

    pub(super) fn is_well(&self) -> bool {
        self.reasons.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::ext::NumericalDuration as _;

    fn probes() -> Vec<Probe> {
        let at_most = |quantity, bound| Probe { quantity, at_least: None, at_most: Some(bound) };
        vec![at_most(Quantity::ErrorRatePercent, 1.0), at_most(Quantity::P95Ms, 400.0)]
    }

    #[test]
    fn a_bad_load_is_bad_until_its_last_bad_sample() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let good = Window { error_rate: Some(0.0), p95_ms: Some(9.0), rate_per_s: 20.0, answered: 1.0, last_bad: None };
        assert!(Unmet::of(&probes(), &good, None, None, now).is_well());
        let before = now - 2.seconds();
        let bad = Window { error_rate: Some(4.0), last_bad: Some((before, "GET /db: 503".into())), ..good.clone() };
        let unmet = Unmet::of(&probes(), &bad, None, None, now);
        assert_eq!(unmet.reasons, ["the error rate in percent is 4, above 1"]);
        assert_eq!(unmet.bad_until, Some((before, "GET /db: 503".into())));
        let silent = Window { error_rate: None, p95_ms: None, answered: 0.0, ..bad };
        let unmet = Unmet::of(&probes(), &silent, None, None, now);
        assert_eq!(unmet.reasons[0], "only 0 % of the offered requests are answered");
        assert_eq!(unmet.bad_until.map(|(at, _)| at), Some(now), "a load that hangs is bad now");
    }
}
