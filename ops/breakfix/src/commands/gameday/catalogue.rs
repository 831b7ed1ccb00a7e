//! The scenarios, as people read them before a game day.

use ::gamedays::scenario::{Action, Library, LibraryError, MYSTERY, Scenario};
use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    commands::own_name,
    output,
    problem::{failure, usage},
};

pub(super) fn list(library: &Library, as_json: bool) -> Result<()> {
    let all = library.all().map_err(|error| unknown(&error))?;
    if as_json {
        let rows: Vec<_> = all.iter().map(row).collect();
        output::data(serde_json::to_string_pretty(&rows).context("writing the list")?);
        return Ok(());
    }
    let width = all.iter().map(|scenario| scenario.id.len()).max().unwrap_or_default();
    for scenario in &all {
        output::data(format!("{:width$}  {:8}  {}", scenario.id, severity(scenario), scenario.title));
    }
    output::data(format!("{MYSTERY:width$}  {:8}  one of these, by lot and unnamed", "?"));
    Ok(())
}

fn row(scenario: &Scenario) -> serde_json::Value {
    let thresholds = scenario.thresholds();
    json!({
        "id": scenario.id,
        "title": scenario.title,
        "severity": severity(scenario),
        "alarms": scenario.expect.alarms,
        "runbook": scenario.runbook.as_ref().map(|id| &id.value),
        "detectLimitSeconds": thresholds.detect.limit.0.as_secs(),
        "recoverLimitSeconds": thresholds.recover.limit.0.as_secs(),
    })
}

pub(super) fn show(library: &Library, id: &str, spoil: bool) -> Result<()> {
    if id == MYSTERY {
        output::data("One of the other scenarios, by lot and unnamed; `--seed NUMBER` draws the same one again.");
        return Ok(());
    }
    let scenario = library.get(id).map_err(|error| unknown(&error))?;
    let (thresholds, minutes) = (scenario.thresholds(), |time: std::time::Duration| time.as_secs() / 60);
    let mut lines = vec![
        format!("{} ({})", scenario.title, severity(&scenario)),
        String::new(),
        scenario.brief.trim().to_owned(),
        String::new(),
        format!(
            "detect within {} min, at most {}; recover within {} min, at most {} (AWS time)",
            minutes(thresholds.detect.target.0),
            minutes(thresholds.detect.limit.0),
            minutes(thresholds.recover.target.0),
            minutes(thresholds.recover.limit.0)
        ),
        format!(
            "hints: {}, for {} points in all",
            scenario.hints.len(),
            scenario.hints.iter().map(|hint| hint.penalty).sum::<u32>()
        ),
    ];
    lines.extend(scenario.roles.iter().map(|role| format!("role: {role}")));
    if spoil {
        lines.push(String::new());
        for step in &scenario.inject {
            let how = match &step.action {
                Action::Parameter(value) => format!("failure mode {value}"),
                Action::Aws { run, .. } => run.trim().to_owned(),
                Action::Deploy(revision) => serde_json::to_string(revision).unwrap_or_default(),
                Action::Outage(outage) => format!("outage of {} ({:?})", outage.service, outage.kind).to_lowercase(),
            };
            lines.push(format!("breaks: {}: {how}", step.name));
        }
        lines.push(format!("alarms: {}", scenario.expect.alarms.join(", ")));
        lines.push(format!("truth: {}", scenario.truth.sentence()));
        lines.extend(scenario.decoys.iter().map(|decoy| format!("decoy: {}: {}", decoy.says, decoy.because)));
        lines.extend(scenario.hints.iter().map(|hint| format!("hint ({}): {}", hint.penalty, hint.text)));
        lines.extend(scenario.runbook.iter().map(|id| format!("runbook: {}", id.value)));
    }
    output::data(lines.join("\n"));
    Ok(())
}

fn severity(scenario: &Scenario) -> String {
    format!("{:?}", scenario.severity).to_lowercase()
}

/// A name that leads nowhere or a file with a flaw: nothing was touched.
pub(super) fn unknown(error: &LibraryError) -> anyhow::Error {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    match error {
        LibraryError::Unknown { .. } => {
            usage(error.to_string(), format!("`{} gameday list` shows what there is", own_name()))
        }
        LibraryError::Invalid(_) => failure(
            format!("{error}"),
            "the scenario is refused whole and nothing was touched; gamedays/scenario.schema.json has its form",
        ),
        LibraryError::Read { .. } => failure(format!("{error}{source}"), "name the folder with --scenarios"),
    }
}
