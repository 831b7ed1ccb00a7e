//! A run as people watch it: lines for what happened, and on a terminal a few that stay in place.

use std::io::Write as _;

use ::gamedays::{Entry, Event, Kind, Outcome, Settings, View};
use time::{OffsetDateTime, macros::format_description};

use crate::{commands::own_name, output};

pub(super) struct Screen {
    in_place: bool,
    blind: bool,
    /// Lines that stand and are to be overwritten.
    standing: usize,
}

impl Screen {
    pub(super) fn new(in_place: bool, blind: bool) -> Self {
        Self { in_place, blind, standing: 0 }
    }

    /// What the people on call are told.
    pub(super) fn begin(&self, settings: &Settings) {
        let scenario = &settings.scenario;
        if !self.blind {
            output::say(format!("{} ({})\n", scenario.title, scenario.id));
        }
        output::say(format!("{}\n", scenario.brief.trim()));
        for role in &scenario.roles {
            output::say(format!("role: {role}"));
        }
        let own = own_name();
        output::say(format!("in another terminal: {own} gameday ack | diagnose \"…\" | hint | status | abort\n"));
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Recovered { run } => self.line(&format!("{run} was cut off and is put back")),
            Event::Happened(entry) => self.line(&happened(entry)),
            Event::Looks(view) if self.in_place => {
                self.clear();
                let lines = lines(view);
                self.standing = lines.len();
                output::say(lines.join("\n"));
            }
            Event::Looks(_) => {}
        }
    }

    fn line(&mut self, text: &str) {
        self.clear();
        output::say(text);
    }

    /// Takes away what stood in place.
    fn clear(&mut self) {
        if self.standing > 0 {
            // Up to the first of them, and everything below erased.
            let _ = write!(std::io::stderr().lock(), "\x1b[{}A\r\x1b[J", self.standing);
            self.standing = 0;
        }
    }

    /// The verdict.
    pub(super) fn end(&mut self, outcome: &Outcome) {
        self.clear();
        let mut lines =
            vec![String::new(), if outcome.verdict.passed { "PASSED".to_owned() } else { "FAILED".to_owned() }];
        lines.extend(outcome.verdict.reasons.iter().map(|reason| format!("  {reason}")));
        lines.push(format!("score {} of 100", outcome.score.total));
        for item in &outcome.score.items {
            let of = if item.of > 0 { format!(" of {}", item.of) } else { String::new() };
            lines.push(format!("  {:12} {:>3}{of:6}  {}", item.name, item.points, item.reason));
        }
        lines.push(format!("the truth: {}", outcome.truth));
        for missing in &outcome.missing_signals {
            lines.push(format!("expected and not seen: {missing}"));
        }
        output::say(lines.join("\n"));
    }
}

fn happened(entry: &Entry) -> String {
    let mark = match entry.kind {
        Kind::Phase => "──",
        Kind::Trouble => "!!",
        _ => "  ",
    };
    format!("{} {mark} {}", clock(entry.at), entry.text)
}

fn clock(at: OffsetDateTime) -> String {
    at.format(format_description!("[hour]:[minute]:[second]")).unwrap_or_default()
}

/// The state of a run in a few lines.
pub(super) fn lines(view: &View) -> Vec<String> {
    let known = |value: Option<f64>, unit: &str| value.map_or("–".to_owned(), |value| format!("{value:.1}{unit}"));
    let whole = |value: Option<i32>| value.map_or("–".to_owned(), |value| value.to_string());
    let left = view.left_s.map(|left| format!(" · {:.0} s left", left.max(0.0))).unwrap_or_default();
    let targets: Vec<String> = view.targets.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let alarms = if view.alarms.is_empty() { "none".to_owned() } else { view.alarms.join(", ") };
    let mut lines = vec![
        format!("{} · {} · {:.0} s{left}", view.called, view.phase, view.elapsed_s),
        format!(
            "load     errors {} · p95 {} · {:.0}/s answered",
            known(view.error_rate, " %"),
            known(view.p95_ms, " ms"),
            view.rate_per_s
        ),
        format!("targets  {}", if targets.is_empty() { "–".to_owned() } else { targets.join(", ") }),
        format!(
            "tasks    {} of {} · database sessions {}",
            whole(view.running),
            whole(view.desired),
            view.sessions.map_or("–".to_owned(), |sessions| format!("{sessions:.0}"))
        ),
        format!("alarms   {alarms}"),
    ];
    if let Some(first) = view.unmet.first() {
        lines.push(format!("not yet  {first}"));
    } else if view.well_s > 0.0 {
        lines.push(format!("well     for {:.0} of {:.0} s", view.well_s.min(view.window_s), view.window_s));
    }
    // A line that wraps cannot be overwritten in place.
    lines.into_iter().map(|line| line.chars().take(100).collect()).collect()
}
