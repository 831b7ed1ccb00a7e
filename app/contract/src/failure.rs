//! The failure-mode parameter: what is broken on purpose, where, how often and until when.
//!
//! A value is a bare word (`none`, `return_500`), one JSON object or an array of them. [`Plan::parse`] accepts a value whole
//! or refuses it whole: nothing is ever half-applied. The table of modes and their parameters is [`ModeName::parameters`].

mod mode;
mod parse;
mod scope;

pub use mode::{Dependency, Mode, ModeName, Parameter};
pub use parse::InvalidFailureMode;
pub use scope::{HeaderMatch, RequestMatch, RequestView, Tasks};

use time::OffsetDateTime;

/// What the parameter says, in the order of the table of modes. Empty is `none`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    faults: Vec<Fault>,
}

/// One mode with the fields that say whom it hits.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What breaks.
    pub mode: Mode,
    /// Share of the matching requests that are hit, 0–100.
    pub percentage: f64,
    /// Hit every Nth matching request instead of a percentage.
    pub every: Option<u64>,
    /// Which requests; `None` is the mode's default routes.
    pub request: Option<RequestMatch>,
    /// Which tasks; `None` is all.
    pub tasks: Option<Tasks>,
    /// End by the clock.
    pub expires_at: Option<OffsetDateTime>,
    /// End this many seconds after the parameter was last modified.
    pub for_s: Option<u64>,
    /// Makes `percentage` and `tasks.percent` draw the same lots again.
    pub seed: Option<u64>,
    /// Keep the mode's name out of logs, spans and replies.
    pub blind: bool,
}

impl Plan {
    /// Nothing is broken.
    pub const fn none() -> Self {
        Self { faults: Vec::new() }
    }

    /// Reads a parameter value.
    ///
    /// # Errors
    /// [`InvalidFailureMode`] names the field, the value and the mend.
    pub fn parse(value: &str) -> Result<Self, InvalidFailureMode> {
        parse::plan(value)
    }

    /// The faults, in the order of the table of modes.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether nothing is broken.
    pub fn is_none(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether any fault is blind: then the whole value stays out of logs, spans and replies.
    pub fn is_blind(&self) -> bool {
        self.faults.iter().any(|fault| fault.blind)
    }
}

/// Stands where a blind value would be shown.
pub const HIDDEN: &str = "hidden (blind)";

/// Whether a parameter value asks to be blind. A refused value counts too: neither it nor the reason may name its mode.
pub fn is_blind(value: &str) -> bool {
    Plan::parse(value).map_or_else(|_| value.contains("\"blind\""), |plan| plan.is_blind())
}

/// What people who are to find the fault may see of a parameter value: the value, or [`HIDDEN`].
pub fn shown(value: &str) -> &str {
    if is_blind(value) { HIDDEN } else { value }
}

impl Fault {
    /// When the fault ends: the earlier of `expires_at` and `last_modified + for_s`; with neither, `last_modified + max_s`.
    pub fn ends_at(&self, last_modified: OffsetDateTime, max_s: u64) -> OffsetDateTime {
        let after = |seconds: u64| {
            last_modified.saturating_add(time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
        };
        match (self.expires_at, self.for_s.map(after)) {
            (Some(at), Some(run)) => at.min(run),
            (Some(at), None) => at,
            (None, Some(run)) => run,
            (None, None) => after(max_s),
        }
    }

    /// Whether the fault is meant for this task.
    pub fn hits_task(&self, task_id: &str, availability_zone: &str) -> bool {
        self.tasks.as_ref().is_none_or(|tasks| tasks.contain(task_id, availability_zone, self.seed))
    }

    /// Whether the fault is meant for this request, before the lot is drawn.
    pub fn matches(&self, request: &impl RequestView) -> bool {
        let path = request.path();
        let in_reach = self.mode.name().reaches(path);
        match &self.request {
            None => in_reach,
            Some(wanted) => in_reach && wanted.matches(request),
        }
    }

    /// Draws the lot for the `nth` matching request (counted from 0). `random` is uniform in `0.0..1.0` and is asked for
    /// only when neither `every` nor `seed` decides.
    pub fn draws(&self, nth: u64, random: impl FnOnce() -> f64) -> bool {
        if let Some(every) = self.every {
            return (nth + 1).is_multiple_of(every);
        }
        if self.percentage >= 100.0 {
            return true;
        }
        let lot = match self.seed {
            Some(seed) => scope::fraction(seed, &nth.to_le_bytes()),
            None => random(),
        };
        lot * 100.0 < self.percentage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn one(value: &str) -> Fault {
        Plan::parse(value).unwrap_or_else(|error| panic!("{value}: {error}")).faults[0].clone()
    }

    #[test]
    fn the_earlier_end_wins_and_no_end_is_clamped() {
        let modified = datetime!(2026-11-20 12:00 UTC);
        assert_eq!(one("hang").ends_at(modified, 14_400), datetime!(2026-11-20 16:00 UTC));
        let both = one(r#"{"mode":"hang","for_s":60,"expires_at":"2026-11-20T18:00:00Z"}"#);
        assert_eq!(both.ends_at(modified, 14_400), datetime!(2026-11-20 12:01 UTC));
    }

    #[test]
    fn a_blind_value_is_hidden_whole_even_when_it_is_refused() {
        for value in [
            r#"{"mode":"hang","blind":true}"#,
            r#"[{"mode":"hang"},{"mode":"crash","blind":true}]"#,
            r#"{"mode":"hung","blind":true}"#,
        ] {
            assert_eq!(shown(value), HIDDEN, "{value}");
        }
        for value in ["none", "hang", "hung", r#"{"mode":"hang","blind":false}"#] {
            assert_eq!(shown(value), value);
        }
    }

    #[test]
    fn every_nth_is_exact_and_a_seed_repeats() {
        let every = one(r#"{"mode":"hang","every":3}"#);
        let hits: Vec<u64> = (0..9).filter(|nth| every.draws(*nth, || 0.0)).collect();
        assert_eq!(hits, [2, 5, 8]);
        let seeded = one(r#"{"mode":"hang","percentage":30,"seed":7}"#);
        let run = || (0..10_000).filter(|nth| seeded.draws(*nth, || panic!("a seed needs no chance"))).count();
        assert_eq!(run(), run());
        assert!((2_700..3_300).contains(&run()), "{} of 10000 at 30 %", run());
    }
}
