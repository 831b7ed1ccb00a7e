//! What a run tells while it goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Entry, Phase};

/// For those who watch.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An earlier run that was cut off is put back.
    Recovered {
        /// Its id.
        run: String,
    },
    /// Something happened.
    Happened(Entry),
    /// How it looks now.
    Looks(View),
}

/// Name of the file in a run's folder that has the newest view.
pub const FILE: &str = "status.json";

/// How a run looks now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct View {
    /// The run.
    pub run: String,
    /// What it is called.
    pub called: String,
    /// When this was so.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What it is busy with.
    pub phase: Phase,
    /// Seconds since the run began.
    pub elapsed_s: f64,
    /// Seconds until the round is over; none before the fault, and none where that would tell that there is one.
    pub left_s: Option<f64>,
    /// Percent of the load that fails.
    pub error_rate: Option<f64>,
    /// 95th percentile of the load.
    pub p95_ms: Option<f64>,
    /// Requests answered a second.
    pub rate_per_s: f64,
    /// Alarms in ALARM.
    pub alarms: Vec<String>,
    /// Targets by state.
    pub targets: BTreeMap<String, i32>,
    /// Tasks running.
    pub running: Option<i32>,
    /// Tasks wanted.
    pub desired: Option<i32>,
    /// Sessions of the database.
    pub sessions: Option<f64>,
    /// What is not as it should be.
    pub unmet: Vec<String>,
    /// Seconds for which the service has been well, and must be.
    pub well_s: f64,
    /// See `well_s`.
    pub window_s: f64,
    /// Whether somebody has taken the incident.
    pub acknowledged: bool,
    /// Whether somebody has said what it is.
    pub diagnosed: bool,
    /// Hints that were given.
    pub hints: usize,
}
