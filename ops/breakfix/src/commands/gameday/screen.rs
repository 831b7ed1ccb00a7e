//! A run as people watch it: lines for what happened, and on a terminal a few that stay in place.

use std::{collections::VecDeque, io::Write as _};

use ::gamedays::{Entry, Event, Kind, Outcome, Phase, Settings, View};
use time::{OffsetDateTime, macros::format_description};

use crate::{commands::own_name, output};

pub(super) struct Screen {
    in_place: bool,
    blind: bool,
    /// Lines that stand and are to be overwritten.
    standing: usize,
    trail: Trail,
}

/// What the last looks found, for small curves.
#[derive(Default)]
pub(super) struct Trail {
    error_rate: VecDeque<f64>,
    p95_ms: VecDeque<f64>,
}

impl Trail {
    /// Looks that are kept: half a minute.
    const KEPT: usize = 30;

    fn add(&mut self, view: &View) {
        for (trail, value) in [(&mut self.error_rate, view.error_rate), (&mut self.p95_ms, view.p95_ms)] {
            trail.push_back(value.unwrap_or_default());
            trail.drain(..trail.len().saturating_sub(Self::KEPT));
        }
    }

    /// A bar for each look, the highest for the most that was seen, or for `least` where all was less.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
    fn curve(values: &VecDeque<f64>, least: f64) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let most = values.iter().copied().fold(least, f64::max);
        values.iter().map(|value| BARS[(value / most * 7.0).round() as usize % BARS.len()]).collect()
    }
}

impl Screen {
    pub(super) fn new(in_place: bool, blind: bool) -> Self {
        Self { in_place, blind, standing: 0, trail: Trail::default() }
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
                self.trail.add(view);
                let lines = lines(view, &self.trail);
                self.standing = lines.len();
                // A line that wraps cannot be overwritten in place, so the terminal cuts at its own margin meanwhile (DECAWM).
                output::say(format!("\x1b[?7l{}\x1b[?7h", lines.join("\n")));
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
        lines.push(format!("the truth: {} ({})", outcome.truth, outcome.scenario));
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
pub(super) fn lines(view: &View, trail: &Trail) -> Vec<String> {
    let known = |value: Option<f64>, unit: &str| value.map_or("–".to_owned(), |value| format!("{value:.1}{unit}"));
    let whole = |value: Option<i32>| value.map_or("–".to_owned(), |value| value.to_string());
    let left = view.left_s.map(|left| format!(" · {:.0} s left", left.max(0.0))).unwrap_or_default();
    let targets: Vec<String> = view.targets.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let alarms = if view.alarms.is_empty() { "none".to_owned() } else { view.alarms.join(", ") };
    let mut lines = vec![
        format!("── {} · {:.0} s{left}", view.called, view.elapsed_s),
        phases(view.phase),
        format!("errors   {:>9}  {}", known(view.error_rate, " %"), Trail::curve(&trail.error_rate, 5.0)),
        format!("p95      {:>9}  {}", known(view.p95_ms, " ms"), Trail::curve(&trail.p95_ms, 400.0)),
        format!("answered {:>7.0}/s", view.rate_per_s),
        format!(
            "targets  {} · tasks {} of {} · database sessions {}",
            if targets.is_empty() { "–".to_owned() } else { targets.join(", ") },
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
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The way through a run, with where it is.
fn phases(now: Phase) -> String {
    const WAY: [Phase; 8] = [
        Phase::SteadyState,
        Phase::Inject,
        Phase::Detect,
        Phase::Acknowledge,
        Phase::Diagnose,
        Phase::Mitigate,
        Phase::Verify,
        Phase::Rollback,
    ];
    let name = |phase: Phase| if phase == now { format!("[{phase}]") } else { phase.to_string() };
    WAY.map(name).join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_as_high_as_its_highest_and_low_where_all_is_well() {
        let curve = |values: &[f64], least| Trail::curve(&values.iter().copied().collect(), least);
        assert_eq!(curve(&[0.0, 33.0, 66.0, 100.0], 5.0), "▁▃▆█");
        assert_eq!(curve(&[8.0, 9.0], 400.0), "▁▁");
        assert_eq!(curve(&[], 5.0), "");
    }

    #[test]
    fn the_way_shows_where_a_run_is() {
        assert!(phases(Phase::Detect).starts_with("steady state → inject → [detect] → acknowledge"));
    }
}
