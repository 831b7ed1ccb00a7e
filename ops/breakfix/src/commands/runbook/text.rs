//! Runbooks and what became of their blocks, as people read them.

use runbooks::{Outcome, Runbook, StepReport};
use serde::Serialize;

/// One runbook of the list.
#[derive(Debug, Serialize)]
pub(super) struct Row<'runbook> {
    id: &'runbook str,
    severity: runbooks::Severity,
    modes: Vec<&'static str>,
    alarms: &'runbook [String],
    budget_s: u64,
    title: &'runbook str,
    path: String,
}

pub(super) fn row(runbook: &Runbook) -> Row<'_> {
    Row {
        id: &runbook.id,
        severity: runbook.severity,
        modes: runbook.modes.iter().map(|mode| mode.as_str()).collect(),
        alarms: &runbook.alarms,
        budget_s: runbook.budget.as_secs(),
        title: &runbook.title,
        path: runbook.path.display().to_string(),
    }
}

/// One line for each runbook, columns aligned.
pub(super) fn list<'runbook>(all: impl Iterator<Item = &'runbook Runbook>) -> String {
    let rows: Vec<[String; 4]> = all
        .map(|runbook| {
            let severity = format!("{:?}", runbook.severity).to_lowercase();
            let alarms = if runbook.alarms.is_empty() { "-".to_owned() } else { runbook.alarms.join(",") };
            [runbook.id.clone(), severity, runbook.title.clone(), alarms]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (id, severity, title) = (width(0), width(1), width(2));
    let line = |row: &[String; 4]| format!("{:id$}  {:severity$}  {:title$}  {}", row[0], row[1], row[2], row[3]);
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One block: how it ended, where it stands, and why it is not as expected.
pub(super) fn step(step: &StepReport) -> String {
    let outcome = match step.outcome {
        Outcome::Passed => "ok",
        Outcome::Failed => "FAIL",
        Outcome::NotRun => "-",
    };
    let time = match step.outcome {
        Outcome::NotRun => String::new(),
        _ => format!(" ({}.{} s)", step.elapsed_ms / 1000, step.elapsed_ms % 1000 / 100),
    };
    let line = format!("{outcome:4}  {:8}  {}{time}  {}", step.kind, step.purpose, step.place);
    match &step.reason {
        None => line,
        Some(reason) => format!("{line}\n      {}", reason.replace('\n', "\n      ")),
    }
}

#[cfg(test)]
mod tests {
    use runbooks::Kind;

    use super::*;

    #[test]
    fn blocks_read_without_colour() {
        let report = |kind, outcome, reason: Option<&str>| StepReport {
            kind,
            place: "a.md:7".to_owned(),
            purpose: "Targets answer 5xx".to_owned(),
            outcome,
            reason: reason.map(str::to_owned),
            runs: 1,
            elapsed_ms: 1234,
            output: String::new(),
        };
        let texts = [
            step(&report(Kind::Confirm, Outcome::Passed, None)),
            step(&report(Kind::Mitigate, Outcome::Failed, Some("expected `empty`, the output was: a\nb"))),
            step(&report(Kind::Verify, Outcome::NotRun, None)),
        ];
        insta::assert_snapshot!(texts.join("\n"), @"
        ok    confirm   Targets answer 5xx (1.2 s)  a.md:7
        FAIL  mitigate  Targets answer 5xx (1.2 s)  a.md:7
              expected `empty`, the output was: a
              b
        -     verify    Targets answer 5xx  a.md:7
        ");
    }
}
