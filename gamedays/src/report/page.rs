//! The report as one HTML page: no script, and nothing that is not in it but the files of the run beside it, as evidence.

use std::fmt::Write as _;

use super::{after, amiss, chart::Chart, charts, clock, day, helped, impact, moments, origin, verdict};
use crate::{Entry, Kind, Moment, Outcome};

const STYLE: &str = include_str!("page.css");
/// What the colours behind the charts mean.
const LEGEND: [(&str, &str); 4] = [
    ("calm", "steady state and rollback"),
    ("unseen", "broken, nobody knows"),
    ("known", "somebody is on it"),
    ("proof", "well again, being proved"),
];

/// The whole page.
pub fn page(outcome: &Outcome) -> String {
    let mut page = head(outcome);
    page += &charted(outcome);
    let mut section = |title: &str, body: String| {
        let _ = write!(page, "<h2>{title}</h2>\n{body}\n");
    };
    section("Overview", format!("<p>{}</p>", escape(&outcome.brief)));
    section("What happened", format!("<p>{}.</p><p>{}</p>", escape(&outcome.truth), escape(&impact(outcome))));
    section("Times", times(outcome));
    section("Score", score(outcome));
    let said = outcome.diagnoses.iter().map(|text| format!("said: {text}"));
    let decoys = outcome.decoys.iter().map(|(says, because)| format!("not it: {says}. {because}"));
    section("Root cause", list(said.chain([format!("truth: {}", outcome.truth)]).chain(decoys)));
    section("What helped", list(helped(outcome).into_iter()));
    section("What did not go so well", list(amiss(outcome).into_iter()));
    section(
        "Action items",
        table("what|who|until", ["<tr><td>&nbsp;</td><td></td><td></td></tr>".to_owned()].into_iter()),
    );
    section("Timeline", table("UTC|event|evidence", outcome.timeline.iter().enumerate().map(event)));
    page + "</body></html>\n"
}

fn head(outcome: &Outcome) -> String {
    let mut head = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>\n{STYLE}</style></head><body>\n\
         <h1>{title} <span class=\"verdict {verdict}\">{verdict}</span></h1>\n\
         <p class=\"soft\">{run} · {day} UTC · severity {severity} · {who} · the platform's waiting runs {speed}x</p>\n",
        title = escape(&outcome.title),
        verdict = verdict(outcome),
        run = escape(&outcome.run),
        day = day(outcome.started_at),
        severity = escape(&outcome.severity),
        who = if outcome.autopilot { "on autopilot" } else { "held by people" },
        speed = outcome.speed,
    );
    let reasons: String = outcome.verdict.reasons.iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
    let _ = write!(head, "<ul class=\"reasons\">{reasons}</ul>\n<div class=\"cards\">");
    let measured = &outcome.measured;
    let cards = [
        ("score of 100", outcome.score.total.to_string()),
        ("time to detect", after(outcome, measured.detected.as_ref())),
        ("time to acknowledge", after(outcome, measured.acknowledged.as_ref())),
        ("time to recover", after(outcome, measured.recovered.as_ref())),
        ("time to verify", after(outcome, measured.verified.as_ref())),
    ];
    for (name, value) in cards {
        let _ = write!(head, "<div><b>{value}</b>{name}</div>");
    }
    head + "</div>\n"
}

fn charted(outcome: &Outcome) -> String {
    let moments = moments(&outcome.measured);
    let drawn: String = charts(outcome, &moments).iter().map(Chart::svg).collect();
    if drawn.is_empty() {
        return drawn;
    }
    let mut legend = String::from("<p class=\"legend\">");
    for (class, words) in LEGEND {
        let _ = write!(legend, "<span><i class=\"{class}\"></i>{words}</span>");
    }
    for (number, (name, _)) in (1..).zip(moments).filter(|(_, (_, moment))| moment.is_some()) {
        let _ = write!(legend, "<span><b>{number}</b>{name}</span>");
    }
    legend + "<span><u></u>bound of the steady state</span></p>\n" + &drawn
}

fn times(outcome: &Outcome) -> String {
    let rows = moments(&outcome.measured).into_iter().enumerate().map(|(index, (name, moment))| {
        let at = moment.map_or_else(|| "–".to_owned(), |moment| link_to_event(outcome, moment));
        let evidence = moment.map(|moment| evidence(&moment.evidence)).unwrap_or_default();
        format!(
            "<tr><td>{}&ensp;{name}</td><td class=\"number\">{at}</td><td class=\"number\">{}</td><td class=\"evidence\">{evidence}</td></tr>",
            index + 1,
            after(outcome, moment)
        )
    });
    table("moment|UTC|after the fault|evidence", rows)
}

/// The time, as a link to the line of the timeline that tells of it.
fn link_to_event(outcome: &Outcome, moment: &Moment) -> String {
    let at = clock(moment.at);
    let line = outcome.timeline.iter().position(|entry| entry.at == moment.at && entry.kind != Kind::Phase);
    line.map_or_else(|| at.clone(), |line| format!("<a href=\"#e{line}\">{at}</a>"))
}

fn score(outcome: &Outcome) -> String {
    let rows = outcome.score.items.iter().map(|item| {
        let bar = match item.of {
            0 => String::new(),
            of => format!("<span class=\"bar\"><i style=\"width:{}%\"></i></span>", item.points * 100 / i64::from(of)),
        };
        let of = if item.of > 0 { format!(" of {}", item.of) } else { String::new() };
        format!(
            "<tr><td>{}</td><td class=\"number\">{}{of}</td><td class=\"number\">{bar}</td><td>{}</td></tr>",
            escape(&item.name),
            item.points,
            escape(&item.reason)
        )
    });
    table("for|points||reason", rows)
}

fn event((index, entry): (usize, &Entry)) -> String {
    let class = match entry.kind {
        Kind::Phase => " class=\"phase\"",
        Kind::Trouble => " class=\"trouble\"",
        _ => "",
    };
    format!(
        "<tr id=\"e{index}\"{class}><td class=\"number\">{}</td><td>{}</td><td class=\"evidence\">{}</td></tr>",
        clock(entry.at),
        escape(&entry.text),
        entry.evidence.as_deref().map(evidence).unwrap_or_default()
    )
}

/// Where it is from a file of the run, a link to that file.
fn evidence(text: &str) -> String {
    let escaped = escape(text);
    match origin(text) {
        Some(file) => escaped.replacen(file, &format!("<a href=\"{file}\">{file}</a>"), 1),
        None => escaped,
    }
}

fn list(lines: impl Iterator<Item = String>) -> String {
    let items: String = lines.map(|line| format!("<li>{}</li>", escape(&line))).collect();
    format!("<ul>{items}</ul>")
}

/// Rows under a head whose columns `|` divides.
fn table(head: &str, rows: impl Iterator<Item = String>) -> String {
    let head: String = head.split('|').map(|name| format!("<th>{name}</th>")).collect();
    format!("<table><tr>{head}</tr>{}</table>", rows.collect::<String>())
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
        for part in ["src=", "http", "<script", "url(", "@import"] {
            assert!(!page.contains(part), "{part} leads elsewhere");
        }
        assert_eq!(page.matches("<svg").count(), 4);
        assert!(page.contains("golden-db-authentication OK → ALARM"));
    }

    #[test]
    fn evidence_is_a_link_to_its_event_and_its_file() {
        let page = page(&outcome());
        assert!(page.contains("<a href=\"#e0\">12:00:08.0</a>"), "the fault's time leads to its line");
        assert!(page.contains("<a href=\"journal.jsonl\">journal.jsonl</a>, step 1"));
        assert!(page.contains("by ada, <a href=\"inbox.jsonl\">inbox.jsonl</a>"));
        for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let inside = link.strip_prefix('#').is_some_and(|id| page.contains(&format!("id=\"{id}\"")));
            assert!(inside || ["journal.jsonl", "inbox.jsonl"].contains(&link), "{link} leads elsewhere");
        }
    }
}
