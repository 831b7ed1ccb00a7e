//! The report as Markdown.

use super::{after, amiss, clock, day, helped, impact, moments, origin, verdict};
use crate::Outcome;

/// The whole report.
pub fn markdown(outcome: &Outcome) -> String {
    let mut lines = vec![
        format!("# {} – {}", outcome.title, verdict(outcome)),
        String::new(),
        format!(
            "Game day `{}` of {} UTC, severity {}, {} at {}x, score **{}** of 100.",
            outcome.run,
            day(outcome.started_at),
            outcome.severity,
            if outcome.autopilot { "on autopilot" } else { "held by people" },
            outcome.speed,
            outcome.score.total
        ),
        String::new(),
    ];
    lines.extend(outcome.verdict.reasons.iter().map(|reason| format!("- {reason}")));
    let mut section = |title: &str, body: Vec<String>| {
        lines.push(format!("\n## {title}\n"));
        lines.extend(body);
    };
    section("Overview", vec![outcome.brief.clone()]);
    section("What happened", vec![format!("{}.", outcome.truth)]);
    section("Impact", vec![impact(outcome)]);
    let times = moments(&outcome.measured).into_iter().map(|(name, moment)| {
        let (at, evidence) =
            moment.map_or(("–".into(), "–".into()), |moment| (clock(moment.at), linked(&moment.evidence)));
        format!("| {name} | {at} | {} | {evidence} |", after(outcome, moment))
    });
    section("Times", table("moment | UTC | after the fault | evidence", times));
    let points = outcome.score.items.iter().map(|item| {
        let of = if item.of > 0 { item.of.to_string() } else { "–".to_owned() };
        format!("| {} | {} | {of} | {} |", item.name, item.points, cell(&item.reason))
    });
    section("Score", table("for | points | of | reason", points));
    let said = outcome.diagnoses.iter().map(|text| format!("- said: {text}"));
    let decoys = outcome.decoys.iter().map(|(says, because)| format!("- not it: {says}. {because}"));
    section("Root cause", said.chain([format!("- truth: {}", outcome.truth)]).chain(decoys).collect());
    section("What helped", helped(outcome).into_iter().map(|line| format!("- {line}")).collect());
    section("What did not go so well", amiss(outcome).into_iter().map(|line| format!("- {line}")).collect());
    section("Action items", vec!["| what | who | until |".into(), "|---|---|---|".into(), "|  |  |  |".into()]);
    let timeline = outcome.timeline.iter().map(|entry| {
        format!(
            "| {} | {} | {} |",
            clock(entry.at),
            cell(&entry.text),
            entry.evidence.as_deref().map(linked).unwrap_or_default()
        )
    });
    section("Timeline", table("UTC | event | evidence", timeline));
    lines.join("\n") + "\n"
}

fn table(head: &str, rows: impl Iterator<Item = String>) -> Vec<String> {
    let columns = head.split('|').count();
    [format!("| {head} |"), format!("|{}", "---|".repeat(columns))].into_iter().chain(rows).collect()
}

/// Evidence in a cell; where it is from a file of the run, with a link to that file.
fn linked(evidence: &str) -> String {
    match origin(evidence) {
        Some(file) => cell(evidence).replacen(file, &format!("[{file}]({file})"), 1),
        None => cell(evidence),
    }
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::outcome;

    #[test]
    fn every_moment_and_event_has_its_evidence() {
        let text = markdown(&outcome());
        for words in [
            "– passed",
            "| detected | 12:00:16.0 | 8.0 s | DescribeAlarmHistory: golden-db-authentication OK → ALARM |",
            "| recovered | 12:00:30.0 | 22.0 s | the last bad sample: GET /db: 503 after 4 ms |",
            "At worst 33 % of a second's requests failed",
            "expected and not seen: traces",
            "| 12:00:08.0 | The database's password is rotated | [journal.jsonl](journal.jsonl), step 1 |",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }
}
