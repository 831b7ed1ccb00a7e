//! The report as one HTML page: no script, nothing from elsewhere.

use std::fmt::Write as _;

use super::{after, chart::Chart, clock, day, helped, impact, moments, verdict};
use crate::Outcome;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #2563eb; --text: #1f2937; --soft: #6b7280; --paper: #fff; --edge: #e5e7eb;
  --calm: #f3f4f6; --unseen: #fee2e2; --known: #fef3c7; --proof: #dcfce7; --good: #15803d; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --line: #60a5fa; --text: #e5e7eb; --soft: #9ca3af; --paper: #111827; --edge: #374151;
  --calm: #1f2937; --unseen: #4c1d1d; --known: #453411; --proof: #14331f; --good: #4ade80; --bad: #f87171; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } .soft { color: var(--soft); }
.passed { color: var(--good); } .failed { color: var(--bad); }
.times { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; } .times div { border: 1px solid var(--edge); border-radius: .5rem; padding: .5rem .9rem; }
.times b { display: block; font-size: 1.3rem; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--edge); } td:first-child { white-space: nowrap; }
td { overflow-wrap: anywhere; } figure { margin: 1rem 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); } .axis { text-anchor: end; } .grid { stroke: var(--edge); }
.line { fill: none; stroke: var(--line); stroke-width: 1.6; } .moment { stroke: var(--soft); stroke-dasharray: 3 3; }
.calm { fill: var(--calm); } .unseen { fill: var(--unseen); } .known { fill: var(--known); } .proof { fill: var(--proof); }
";

/// The whole page.
pub fn page(outcome: &Outcome) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title} <span class=\"{verdict}\">{verdict}</span></h1>\n\
         <p class=\"soft\">{run} · {day} UTC · severity {severity} · {who} · the platform's waiting runs {speed}x</p>\n",
        title = escape(&outcome.title),
        verdict = verdict(outcome),
        run = escape(&outcome.run),
        day = day(outcome.started_at),
        severity = escape(&outcome.severity),
        who = if outcome.autopilot { "on autopilot" } else { "held by people" },
        speed = outcome.speed,
    );
    page += &list(outcome.verdict.reasons.iter().cloned());
    page += "<div class=\"times\">";
    let measured = &outcome.measured;
    let times = [
        ("score", format!("{} / 100", outcome.score.total)),
        ("time to detect", after(outcome, measured.detected.as_ref())),
        ("to acknowledge", after(outcome, measured.acknowledged.as_ref())),
        ("to recover", after(outcome, measured.recovered.as_ref())),
        ("to verify", after(outcome, measured.verified.as_ref())),
    ];
    for (name, value) in times {
        let _ = write!(page, "<div>{name}<b>{value}</b></div>");
    }
    page += "</div>\n";
    page += &charts(outcome);
    let mut section = |title: &str, body: String| {
        let _ = write!(page, "<h2>{title}</h2>\n{body}\n");
    };
    section("Overview", format!("<p>{}</p>", escape(&outcome.brief)));
    section("What happened", format!("<p>{}.</p><p>{}</p>", escape(&outcome.truth), escape(&impact(outcome))));
    let rows = moments(measured).into_iter().map(|(name, moment)| {
        let (at, evidence) =
            moment.map_or(("–".into(), String::new()), |moment| (clock(moment.at), moment.evidence.clone()));
        [name.to_owned(), at, after(outcome, moment), evidence].to_vec()
    });
    section("Times", table(&["moment", "UTC", "after the fault", "evidence"], rows));
    let rows = outcome.score.items.iter().map(|item| {
        let of = if item.of > 0 { item.of.to_string() } else { String::new() };
        [item.name.clone(), item.points.to_string(), of, item.reason.clone()].to_vec()
    });
    section("Score", table(&["for", "points", "of", "reason"], rows));
    let said = outcome.diagnoses.iter().map(|text| format!("said: {text}"));
    let decoys = outcome.decoys.iter().map(|(says, because)| format!("not it: {says}. {because}"));
    section("Root cause", list(said.chain([format!("truth: {}", outcome.truth)]).chain(decoys)));
    section("What helped", list(helped(outcome).into_iter()));
    let missing = outcome.missing_signals.iter().map(|name| format!("expected and not seen: {name}"));
    section("What did not go so well", list(missing.chain(["(yours to fill in)".to_owned()])));
    section("Action items", table(&["what", "who", "until"], [vec![String::new(); 3]].into_iter()));
    let rows = outcome
        .timeline
        .iter()
        .map(|entry| [clock(entry.at), entry.text.clone(), entry.evidence.clone().unwrap_or_default()].to_vec());
    section("Timeline", table(&["UTC", "event", "evidence"], rows));
    page + "</body></html>\n"
}

fn charts(outcome: &Outcome) -> String {
    let moments = moments(&outcome.measured);
    let chart = |title, unit, value| {
        Chart { title, unit, value, samples: &outcome.samples, bands: &outcome.bands, moments: &moments }.svg()
    };
    [
        chart("Error rate", "percent of a second's requests", |sample| sample.error_rate),
        chart("95th percentile", "ms", |sample| sample.p95_ms),
        chart("Database sessions", "open", |sample| sample.sessions),
        chart("Tasks", "running", |sample| sample.tasks),
    ]
    .concat()
}

fn list(lines: impl Iterator<Item = String>) -> String {
    let items: String = lines.map(|line| format!("<li>{}</li>", escape(&line))).collect();
    format!("<ul>{items}</ul>")
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: String = head.iter().map(|name| format!("<th>{name}</th>")).collect();
    let rows: String = rows
        .map(|row| {
            format!("<tr>{}</tr>", row.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect::<String>())
        })
        .collect();
    format!("<table><tr>{head}</tr>{rows}</table>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::outcome;

    #[test]
    fn the_page_stands_alone_and_trusts_no_text() {
        let page = page(&outcome());
        assert!(page.contains("&lt;after&gt;") && !page.contains("<after>"), "texts are escaped");
        for part in ["src=", "href=", "http", "<script"] {
            assert!(!page.contains(part), "{part} leads elsewhere");
        }
        assert_eq!(page.matches("<svg").count(), 4);
        assert!(page.contains("golden-db-authentication OK → ALARM"));
    }
}
