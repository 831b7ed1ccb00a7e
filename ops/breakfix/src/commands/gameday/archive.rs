//! Runs that are over: reports and history.

use std::path::{Path, PathBuf};

use ::gamedays::{Course, History, OUTCOME_FILE, Outcome, Trend, journal, report};
use anyhow::{Context, Result};
use time::macros::format_description;

use super::read;
use crate::{commands::own_name, output, problem::failure};

/// Writes both reports beside the outcome; gives the page.
pub(super) fn write(folder: &Path, outcome: &Outcome) -> Result<PathBuf> {
    let run = folder.join(&outcome.run);
    let page = run.join("report.html");
    std::fs::write(run.join("report.md"), report::markdown(outcome)).context("writing the report")?;
    std::fs::write(&page, report::page(outcome)).context("writing the report")?;
    Ok(page)
}

pub(super) fn report(folder: &Path, run: Option<&str>) -> Result<()> {
    let runs = journal::runs(folder).context("looking for runs")?;
    let found = match run {
        Some(run) => runs.into_iter().find(|path| path.ends_with(run)),
        None => runs.into_iter().rev().find(|path| path.join(OUTCOME_FILE).is_file()),
    };
    let found = found.filter(|path| path.join(OUTCOME_FILE).is_file()).ok_or_else(|| {
        failure("there is no such run with an outcome", format!("`{} gameday history` shows all", own_name()))
    })?;
    let outcome: Outcome = serde_json::from_str(&read(&found.join(OUTCOME_FILE))?).context("reading the outcome")?;
    output::data(write(folder, &outcome)?.display().to_string());
    Ok(())
}

pub(super) fn history(folder: &Path, as_json: bool) -> Result<()> {
    let history = History::read(folder).context("reading the history")?;
    if as_json {
        output::data(serde_json::to_string_pretty(&history.lines).context("writing the history")?);
        return Ok(());
    }
    if history.lines.is_empty() {
        output::say(format!("no run yet; begin one with `{} gameday run SCENARIO`", own_name()));
    }
    for (scenario, runs) in history.by_scenario() {
        let passed = runs.iter().filter(|run| run.passed).count();
        output::data(format!("{scenario}: {passed} of {} passed", runs.len()));
        let courses = [("MTTD", Course::of(&runs, |run| run.mttd_s)), ("MTTR", Course::of(&runs, |run| run.mttr_s))];
        for (name, course) in courses {
            output::data(format!("  {name} {}", course.map_or_else(|| "never measured".to_owned(), words)));
        }
        for run in runs {
            let seconds = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1} s"));
            output::data(format!(
                "  {}  {}  score {:>3}  MTTD {:>8}  MTTR {:>8}  {}x  {}",
                run.started_at.format(format_description!("[year]-[month]-[day] [hour]:[minute]")).unwrap_or_default(),
                if run.passed { "passed" } else { "FAILED" },
                run.score,
                seconds(run.mttd_s),
                seconds(run.mttr_s),
                run.speed,
                if run.autopilot { "autopilot" } else { "people" }
            ));
            if !run.passed {
                output::data(format!("    {}", run.reason));
            }
        }
    }
    Ok(())
}

fn words(course: Course) -> String {
    let trend = match course.trend {
        Some(Trend::Quicker) => "quicker than before ↘",
        Some(Trend::Same) => "as before →",
        Some(Trend::Slower) => "slower than before ↗",
        None => return format!("{:.1} s", course.last_s),
    };
    format!("{:.1} s on average, last {:.1} s, {trend}", course.mean_s, course.last_s)
}
