//! Figures with their goals, printed as a table and kept as JSON.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::machine;

/// One measured figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was measured, with its unit.
    pub(crate) what: String,
    /// The figure: the median where there were several rounds.
    pub(crate) value: f64,
    /// The goal as text, `≥ 0.85`.
    pub(crate) goal: String,
    /// Whether the figure meets it.
    pub(crate) met: bool,
    /// Every round, so that a noisy machine shows.
    pub(crate) rounds: Vec<f64>,
    /// When, RFC 3339.
    pub(crate) measured_at: String,
    /// CPUs and model of the machine.
    pub(crate) machine: String,
}

/// Which side of the goal is good.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// Printed for the reader; nothing is asked of it.
    None,
}

/// All figures by their short name.
pub(crate) struct Report {
    path: PathBuf,
    figures: BTreeMap<String, Figure>,
}

impl Report {
    /// Opens the file of an earlier run, or starts anew.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let figures = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { path: path.to_owned(), figures })
    }

    /// Keeps a figure; its value is the median of the rounds.
    pub(crate) fn add(&mut self, name: &str, what: &str, goal: Goal, rounds: Vec<f64>) {
        let value = median(&rounds);
        let (goal, met) = match goal {
            Goal::AtLeast(bound) => (format!("≥ {bound}"), value >= bound),
            Goal::AtMost(bound) => (format!("≤ {bound}"), value <= bound),
            Goal::None => (String::new(), true),
        };
        let measured_at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let figure =
            Figure { what: what.to_owned(), value, goal, met, rounds, measured_at, machine: machine::describe() };
        eprintln!("  {what}: {value:.3} {}", figure.goal);
        self.figures.insert(name.to_owned(), figure);
    }

    pub(crate) fn save(&self) -> anyhow::Result<()> {
        Ok(fs::write(&self.path, serde_json::to_string_pretty(&self.figures)? + "\n")?)
    }

    #[allow(clippy::print_stdout, reason = "the table is this program's output")]
    pub(crate) fn print(&self) {
        for figure in self.figures.values() {
            let verdict = if figure.met { "ok    " } else { "MISSED" };
            println!("{verdict} {:>10.3} {:<8} {}", figure.value, figure.goal, figure.what);
        }
    }
}

/// The middle of the rounds.
pub(crate) fn median(rounds: &[f64]) -> f64 {
    quantile(rounds, 0.5)
}

/// The smallest value that at least this share of the rounds does not exceed.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a count of rounds"
)]
pub(crate) fn quantile(rounds: &[f64], share: f64) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1));
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}
