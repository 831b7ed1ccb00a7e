//! What a run came to, with everything that a report shows.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Entry, Item, Phase, Score, scenario::Quantity};

/// Name of its file in a run's folder.
pub const FILE: &str = "outcome.json";

/// The result of a run; `outcome.json` in its folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Id of the run: when it began, and what it was called.
    pub run: String,
    /// Id of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What people were told.
    pub brief: String,
    /// `critical`, `high`, `medium`, `low`.
    pub severity: String,
    /// Who took part.
    pub roles: Vec<String>,
    /// The lab's time factor.
    pub speed: f64,
    /// Whether a runbook was followed instead of people.
    pub autopilot: bool,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// When everything was put back.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Passed or not, and why.
    pub verdict: Verdict,
    /// The times.
    pub measured: Measured,
    /// The points.
    pub score: Score,
    /// The truth.
    pub truth: String,
    /// What was said of it, in order.
    pub diagnoses: Vec<String>,
    /// The scenario's decoys with their reasons.
    pub decoys: Vec<(String, String)>,
    /// The runbook that mends it.
    pub runbook: Option<String>,
    /// Expected signals that were not seen.
    pub missing_signals: Vec<String>,
    /// Everything that happened.
    pub timeline: Vec<Entry>,
    /// Second by second.
    pub samples: Vec<Sample>,
    /// What the steady state asks of each quantity.
    #[serde(default)]
    pub bounds: BTreeMap<Quantity, f64>,
    /// Which phase when.
    pub bands: Vec<Band>,
    /// Whether the lab was seen healthy after the rollback; the reason when not.
    pub not_restored: Option<String>,
}

/// Passed or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Passed.
    pub passed: bool,
    /// Why; at least one.
    pub reasons: Vec<String>,
}

/// A moment and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The call, sample or record.
    pub evidence: String,
}

/// The moments that count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The injecting call.
    pub fault: Option<Moment>,
    /// The alarm.
    pub detected: Option<Moment>,
    /// Somebody took it.
    pub acknowledged: Option<Moment>,
    /// Somebody said what it is (the last time).
    pub diagnosed: Option<Moment>,
    /// The last bad sample.
    pub recovered: Option<Moment>,
    /// The end of the good window.
    pub verified: Option<Moment>,
}

impl Measured {
    /// From the fault to a moment.
    pub fn since_fault(&self, moment: Option<&Moment>) -> Option<Duration> {
        let (fault, moment) = (self.fault.as_ref()?, moment?);
        Some((moment.at - fault.at).try_into().unwrap_or_default())
    }

    /// Time to detect.
    pub fn mttd(&self) -> Option<Duration> {
        self.since_fault(self.detected.as_ref())
    }

    /// Time to acknowledge.
    pub fn mtta(&self) -> Option<Duration> {
        self.since_fault(self.acknowledged.as_ref())
    }

    /// Time to recover.
    pub fn mttr(&self) -> Option<Duration> {
        self.since_fault(self.recovered.as_ref())
    }

    /// Time to verify.
    pub fn mttv(&self) -> Option<Duration> {
        self.since_fault(self.verified.as_ref())
    }
}

/// One second of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Percent of the second's requests that failed; none when none ended.
    pub error_rate: Option<f64>,
    /// The second's 95th percentile in ms; none when no request ended.
    pub p95_ms: Option<f64>,
    /// Sessions of the database, as far as it is known.
    pub sessions: Option<f64>,
    /// Tasks that run.
    pub tasks: Option<f64>,
}

/// A phase and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// Which.
    pub phase: Phase,
    /// From.
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// To.
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
}

impl Outcome {
    /// The points of one item.
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.score.items.iter().find(|item| item.name == name)
    }
}
