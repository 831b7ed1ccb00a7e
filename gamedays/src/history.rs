//! Every run, one line each, in the folder of all runs.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Outcome;

const FILE: &str = "history.jsonl";

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub run: String,
    /// The scenario.
    pub scenario: String,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// Passed.
    pub passed: bool,
    /// The first reason.
    pub reason: String,
    /// Points.
    pub score: u32,
    /// The lab's time factor.
    pub speed: f64,
    /// Whether a runbook was followed instead of people.
    pub autopilot: bool,
    /// Seconds of real time, from the fault.
    pub mttd_s: Option<f64>,
    /// To the acknowledgement.
    pub mtta_s: Option<f64>,
    /// To the recovery.
    pub mttr_s: Option<f64>,
    /// To the end of the good window.
    pub mttv_s: Option<f64>,
}

/// All runs.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Oldest first.
    pub lines: Vec<Line>,
}

impl Line {
    fn of(outcome: &Outcome) -> Self {
        let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64());
        let measured = &outcome.measured;
        Self {
            run: outcome.run.clone(),
            scenario: outcome.scenario.clone(),
            started_at: outcome.started_at,
            passed: outcome.verdict.passed,
            reason: outcome.verdict.reasons.first().cloned().unwrap_or_default(),
            score: outcome.score.total,
            speed: outcome.speed,
            autopilot: outcome.autopilot,
            mttd_s: seconds(measured.mttd()),
            mtta_s: seconds(measured.mtta()),
            mttr_s: seconds(measured.mttr()),
            mttv_s: seconds(measured.mttv()),
        }
    }
}

impl History {
    /// Reads the file; a line that is none is skipped.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let text = match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { lines: text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect() })
    }

    /// Adds a run.
    pub(crate) fn add(folder: &Path, outcome: &Outcome) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line::of(outcome))?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).open(folder.join(FILE))?;
        file.write_all(&line)?;
        file.sync_data()
    }

    /// The scenarios that were run, in alphabetical order, each with its runs.
    pub fn by_scenario(&self) -> Vec<(&str, Vec<&Line>)> {
        let mut ids: Vec<&str> = self.lines.iter().map(|line| line.scenario.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| (id, self.lines.iter().filter(|line| line.scenario == id).collect())).collect()
    }
}
