//! One line of a run's timeline.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a run is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Is the lab healthy, and does the scenario fit it?
    Preflight,
    /// The steady state is proved under load.
    SteadyState,
    /// The fault is made.
    Inject,
    /// Until an alarm tells of it.
    Detect,
    /// Until somebody takes it.
    Acknowledge,
    /// Until somebody says what it is.
    Diagnose,
    /// Until the service is well.
    Mitigate,
    /// Until it was well for long enough.
    Verify,
    /// Everything is put back.
    Rollback,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preflight => "preflight",
            Self::SteadyState => "steady state",
            Self::Inject => "inject",
            Self::Detect => "detect",
            Self::Acknowledge => "acknowledge",
            Self::Diagnose => "diagnose",
            Self::Mitigate => "mitigate",
            Self::Verify => "verify",
            Self::Rollback => "rollback",
        })
    }
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A phase begins.
    Phase,
    /// A change was made.
    Injected,
    /// An alarm changed its state.
    Alarm,
    /// An expected signal was seen.
    Signal,
    /// Somebody did something.
    Person,
    /// A runbook's block ended.
    Runbook,
    /// What was measured.
    Measured,
    /// Something that does not count as a repair, or went wrong.
    Trouble,
    /// Something was put back.
    Restored,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the evidence.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Of which kind.
    pub kind: Kind,
    /// What.
    pub text: String,
    /// How that is known: a call, a sample, a file.
    pub evidence: Option<String>,
    /// Whether it gives the cause away.
    #[serde(default)]
    pub spoils: bool,
}

impl Entry {
    pub(crate) fn now(kind: Kind, text: impl Into<String>) -> Self {
        Self::at(OffsetDateTime::now_utc(), kind, text)
    }

    pub(crate) fn at(at: OffsetDateTime, kind: Kind, text: impl Into<String>) -> Self {
        Self { at, kind, text: text.into(), evidence: None, spoils: false }
    }

    #[must_use]
    pub(crate) fn by(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    #[must_use]
    pub(crate) fn spoiling(mut self) -> Self {
        self.spoils = true;
        self
    }
}
