//! Every run, one line each, in the folder of all runs.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    Outcome,
    journal::{self, Record},
    outcome::FILE as OUTCOME,
};

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
    pub(crate) fn of(outcome: &Outcome) -> Self {
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

    /// Of a run that did not come to an outcome; none where its journal does not tell which it was.
    fn cut_off(journal: &journal::History, what_became: &str) -> Option<Self> {
        journal.records.iter().find_map(|stamped| match &stamped.record {
            Record::Begun { run, scenario, speed, .. } => Some(Self {
                run: run.clone(),
                scenario: scenario.clone(),
                started_at: stamped.at,
                passed: false,
                reason: format!("cut off: {what_became}"),
                score: 0,
                speed: *speed,
                autopilot: false,
                mttd_s: None,
                mtta_s: None,
                mttr_s: None,
                mttv_s: None,
            }),
            _ => None,
        })
    }
}

/// How the last of some runs compares with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// By a tenth or more.
    Quicker,
    /// Neither.
    Same,
    /// By a tenth or more.
    Slower,
}

/// A time over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Mean in seconds of real time.
    pub mean_s: f64,
    /// Of the last run, in which it was measured.
    pub last_s: f64,
    /// None where there is nothing to compare it with.
    pub trend: Option<Trend>,
}

impl Course {
    /// Of runs, oldest first. Only those at the time factor of the last one are comparable; none where it was never measured.
    pub fn of(runs: &[&Line], time: impl Fn(&Line) -> Option<f64>) -> Option<Self> {
        let speed = runs.last()?.speed;
        let alike = runs.iter().filter(|run| (run.speed - speed).abs() < f64::EPSILON);
        let times: Vec<f64> = alike.filter_map(|run| time(run)).collect();
        let (last_s, before) = times.split_last()?;
        let trend = mean(before).map(|before| match last_s / before {
            ratio if ratio <= 0.9 => Trend::Quicker,
            ratio if ratio >= 1.1 => Trend::Slower,
            _ => Trend::Same,
        });
        Some(Self { mean_s: mean(&times)?, last_s: *last_s, trend })
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count of runs")]
fn mean(times: &[f64]) -> Option<f64> {
    (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64)
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
    pub(crate) fn add(folder: &Path, line: &Line) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).open(folder.join(FILE))?;
        file.write_all(&line)?;
        file.sync_data()
    }

    /// Adds a run that was cut off, unless it had come to its outcome.
    pub(crate) fn add_cut_off(run: &Path, journal: &journal::History, what_became: &str) -> io::Result<()> {
        match (run.parent(), Line::cut_off(journal, what_became)) {
            (Some(folder), Some(line)) if !run.join(OUTCOME).exists() => Self::add(folder, &line),
            _ => Ok(()),
        }
    }

    /// The scenarios that were run, in alphabetical order, each with its runs.
    pub fn by_scenario(&self) -> Vec<(&str, Vec<&Line>)> {
        let mut ids: Vec<&str> = self.lines.iter().map(|line| line.scenario.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| (id, self.lines.iter().filter(|line| line.scenario == id).collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_compares_the_last_run_with_those_before_it_at_the_same_speed() {
        let line = |speed: f64, mttr_s: Option<f64>| Line {
            run: String::new(),
            scenario: String::new(),
            started_at: OffsetDateTime::UNIX_EPOCH,
            passed: true,
            reason: String::new(),
            score: 0,
            speed,
            autopilot: false,
            mttd_s: None,
            mtta_s: None,
            mttr_s,
            mttv_s: None,
        };
        let course = |lines: &[Line]| Course::of(&lines.iter().collect::<Vec<_>>(), |line| line.mttr_s);
        assert_eq!(course(&[]), None);
        assert_eq!(course(&[line(10.0, None)]), None);
        let one = [line(1.0, Some(300.0)), line(10.0, Some(30.0))];
        assert_eq!(course(&one), Some(Course { mean_s: 30.0, last_s: 30.0, trend: None }), "real time is another");
        let trend = |last: f64| course(&[line(10.0, Some(20.0)), line(10.0, Some(40.0)), line(10.0, Some(last))]);
        let trend = |last: f64| trend(last).and_then(|course| course.trend);
        assert_eq!([20.0, 31.0, 60.0].map(trend), [Some(Trend::Quicker), Some(Trend::Same), Some(Trend::Slower)]);
    }
}
