//! The report of a run: Markdown for the repository, and one HTML page that needs nothing else.
//!
//! Both have the headings of PagerDuty's postmortem template, filled with what was measured; what only people know is left to them.

mod chart;
mod markdown;
mod page;

use time::{OffsetDateTime, macros::format_description};

use self::chart::Chart;
pub use self::{markdown::markdown, page::page};
use crate::{Measured, Moment, Outcome, scenario::Quantity};

/// Files of a run that evidence is kept in.
const KEPT: [&str; 2] = ["journal.jsonl", "inbox.jsonl"];

/// The moments that count, with their names.
fn moments(measured: &Measured) -> [(&'static str, Option<&Moment>); 6] {
    [
        ("fault", measured.fault.as_ref()),
        ("detected", measured.detected.as_ref()),
        ("acknowledged", measured.acknowledged.as_ref()),
        ("diagnosed", measured.diagnosed.as_ref()),
        ("recovered", measured.recovered.as_ref()),
        ("verified", measured.verified.as_ref()),
    ]
}

/// The four curves of a run.
fn charts<'run>(outcome: &'run Outcome, moments: &'run [(&'static str, Option<&'run Moment>)]) -> [Chart<'run>; 4] {
    let chart = |title, unit, value, quantity| Chart {
        title,
        unit,
        value,
        filled: matches!(quantity, Quantity::ErrorRatePercent | Quantity::P95Ms),
        bound: outcome.bounds.get(&quantity).copied(),
        samples: &outcome.samples,
        bands: &outcome.bands,
        moments,
    };
    [
        chart("Error rate", "percent of a second's requests", |sample| sample.error_rate, Quantity::ErrorRatePercent),
        chart("95th percentile", "ms", |sample| sample.p95_ms, Quantity::P95Ms),
        chart("Database sessions", "open", |sample| sample.sessions, Quantity::DatabaseSessions),
        chart("Tasks", "running", |sample| sample.tasks, Quantity::RunningTasks),
    ]
}

/// The file of the run that evidence names.
fn origin(evidence: &str) -> Option<&'static str> {
    KEPT.into_iter().find(|file| evidence.contains(file))
}

fn clock(at: OffsetDateTime) -> String {
    let format = format_description!("[hour]:[minute]:[second].[subsecond digits:1]");
    at.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

fn day(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

fn after(outcome: &Outcome, moment: Option<&Moment>) -> String {
    let time = outcome.measured.since_fault(moment);
    time.map_or_else(|| "–".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
}

fn verdict(outcome: &Outcome) -> &'static str {
    if outcome.verdict.passed { "passed" } else { "failed" }
}

/// What was seen of the harm, for the heading that asks for it.
fn impact(outcome: &Outcome) -> String {
    let worst =
        |value: fn(&crate::Sample) -> Option<f64>| outcome.samples.iter().filter_map(value).fold(0.0_f64, f64::max);
    let duration = match (&outcome.measured.fault, &outcome.measured.recovered) {
        (Some(fault), Some(recovered)) => format!("{:.1} s", (recovered.at - fault.at).as_seconds_f64()),
        _ => "unknown".to_owned(),
    };
    format!(
        "At worst {:.0} % of a second's requests failed and its 95th percentile was {:.0} ms; from the fault to the last bad \
         sample {duration}.",
        worst(|sample| sample.error_rate),
        worst(|sample| sample.p95_ms)
    )
}

/// What helped: the signals that were seen, and the runbook.
fn helped(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = outcome
        .timeline
        .iter()
        .filter(|entry| entry.kind == crate::Kind::Signal)
        .map(|entry| format!("{} ({})", entry.text, entry.evidence.as_deref().unwrap_or_default()))
        .collect();
    lines.extend(outcome.measured.detected.iter().map(|moment| moment.evidence.clone()));
    lines.extend(outcome.runbook.iter().map(|id| format!("the runbook {id} (ops/runbooks/{id}.md)")));
    lines
}

/// What did not go so well, as far as it can be measured: signals that did not come, and points that were lost.
fn amiss(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> =
        outcome.missing_signals.iter().map(|name| format!("expected and not seen: {name}")).collect();
    let lost = outcome.score.items.iter().filter(|item| item.points < i64::from(item.of));
    lines.extend(lost.map(|item| match item.of {
        0 => format!("{}: {} points: {}", item.name, item.points, item.reason),
        of => format!("{}: {} of {of} points: {}", item.name, item.points, item.reason),
    }));
    lines.extend(outcome.not_restored.iter().map(|reason| format!("the lab was not put back: {reason}")));
    lines.push("(yours to fill in)".to_owned());
    lines
}

#[cfg(test)]
pub(crate) mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{Band, Entry, Item, Kind, Phase, Sample, Score, Verdict};

    /// An outcome with a bit of everything.
    pub(crate) fn outcome() -> Outcome {
        let start = datetime!(2026-11-21 12:00 UTC);
        let at = |seconds: i64| start + time::Duration::seconds(seconds);
        let moment = |seconds, evidence: &str| Some(Moment { at: at(seconds), evidence: evidence.to_owned() });
        let sample = |second: i64| Sample {
            at: at(second),
            error_rate: Some(if (10..30).contains(&second) { 33.0 } else { 0.0 }),
            p95_ms: (second != 20).then_some(9.5),
            sessions: Some(6.0),
            tasks: Some(2.0),
        };
        let entry = |seconds, kind, text: &str, evidence: &str| Entry {
            at: at(seconds),
            kind,
            text: text.to_owned(),
            evidence: Some(evidence.to_owned()),
            spoils: false,
        };
        Outcome {
            run: "20261121T120000Z-secret-drift".into(),
            scenario: "secret-drift".into(),
            title: "Log-ins fail <after> the nightly rotation".into(),
            brief: "Orders cannot be loaded.".into(),
            severity: "high".into(),
            roles: vec!["operator: looks and acts".into()],
            speed: 10.0,
            autopilot: false,
            started_at: start,
            ended_at: at(50),
            verdict: Verdict { passed: true, reasons: vec!["detected after 8.0 s".into()] },
            measured: Measured {
                fault: moment(8, "the call of step 1: rotate"),
                detected: moment(16, "DescribeAlarmHistory: golden-db-authentication OK → ALARM"),
                acknowledged: moment(18, "`gameday` by ada, inbox.jsonl"),
                diagnosed: moment(22, "`gameday` by ada, inbox.jsonl"),
                recovered: moment(30, "the last bad sample: GET /db: 503 after 4 ms"),
                verified: moment(42, "12.0 s of good samples, alarms OK"),
            },
            score: Score {
                total: 97,
                items: vec![Item { name: "detect".into(), points: 20, of: 20, reason: "8.0 s".into() }],
            },
            truth: "database credentials: rotated".into(),
            diagnoses: vec!["the secret | was rotated".into()],
            decoys: vec![("database is down".into(), "it answers".into())],
            runbook: Some("db-auth-failures".into()),
            missing_signals: vec!["traces".into()],
            timeline: vec![
                entry(8, Kind::Injected, "The database's password is rotated", "journal.jsonl, step 1"),
                entry(17, Kind::Signal, "the log shows it", "/ecs/golden: 28P01"),
            ],
            samples: (1..50).map(sample).collect(),
            bounds: [(Quantity::ErrorRatePercent, 1.0), (Quantity::P95Ms, 400.0)].into(),
            bands: vec![
                Band { phase: Phase::SteadyState, from: start, to: at(8) },
                Band { phase: Phase::Mitigate, from: at(8), to: at(30) },
            ],
            not_restored: None,
        }
    }
}
