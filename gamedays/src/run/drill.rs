//! The state of a run, and what every phase of it does: note, look, listen.

use std::{fs::OpenOptions, io::Write as _, path::PathBuf};

use time::{Duration, OffsetDateTime, macros::format_description};

use super::{
    Event, Settings, View, autopilot,
    conditions::Unmet,
    traffic::{Traffic, Window},
    verdict::End,
    view,
    watch::{Guard, Sight, Transition, Watch},
};
use crate::{
    Band, Entry, Inbox, Kind, Lab, Measured, Moment, Order, Phase, Sample,
    journal::{Journal, Record},
    scenario::{Quantity, Scenario},
};

pub(super) struct Drill<'run> {
    pub(super) lab: &'run Lab,
    pub(super) settings: &'run Settings,
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) started_at: OffsetDateTime,
    pub(super) journal: Journal,
    tell: &'run mut (dyn FnMut(Event) + Send),
    inbox: Inbox,
    phase: Phase,
    pub(super) bands: Vec<Band>,
    pub(super) timeline: Vec<Entry>,
    pub(super) samples: Vec<Sample>,
    pub(super) traffic: Option<Traffic>,
    pub(super) watch: Option<Watch>,
    /// As it was in the steady state.
    pub(super) guard: Option<Guard>,
    pub(super) measured: Measured,
    pub(super) diagnoses: Vec<String>,
    pub(super) hints: usize,
    pub(super) false_alarms: usize,
    pub(super) transitions: Vec<Transition>,
    pub(super) missing_signals: Vec<&'static str>,
    /// Until when it was bad at least.
    pub(super) bad_until: Option<(OffsetDateTime, String)>,
    pub(super) limit_at: Option<OffsetDateTime>,
    /// Whether the service was well for long enough already, and since when.
    pub(super) last_unmet: Vec<String>,
}

/// What one look at everything found.
pub(super) struct Look {
    pub(super) now: OffsetDateTime,
    pub(super) sight: Option<Sight>,
    pub(super) unmet: Unmet,
}

impl<'run> Drill<'run> {
    pub(super) fn new(
        lab: &'run Lab,
        settings: &'run Settings,
        id: String,
        folder: PathBuf,
        started_at: OffsetDateTime,
        journal: Journal,
        tell: &'run mut (dyn FnMut(Event) + Send),
    ) -> Self {
        let drill = Self {
            lab,
            settings,
            id,
            inbox: Inbox::of(&folder),
            folder,
            started_at,
            journal,
            tell,
            phase: Phase::Preflight,
            bands: Vec::new(),
            timeline: Vec::new(),
            samples: Vec::new(),
            traffic: None,
            watch: None,
            guard: None,
            measured: Measured::default(),
            diagnoses: Vec::new(),
            hints: 0,
            false_alarms: 0,
            transitions: Vec::new(),
            missing_signals: Vec::new(),
            bad_until: None,
            limit_at: None,
            last_unmet: Vec::new(),
        };
        let scenario = &settings.scenario;
        drill.instruct(&format!("{} is {}: {}", drill.id, scenario.id, scenario.title));
        drill.instruct(&format!("truth: {}", scenario.truth.sentence()));
        drill.instruct(&format!("runbook: {}", scenario.runbook.as_ref().map_or("none", |id| id.value.as_str())));
        drill
    }

    pub(super) fn scenario(&self) -> &'run Scenario {
        &self.settings.scenario
    }

    /// Begins a phase, if it is not that already.
    pub(super) fn enter(&mut self, phase: Phase) {
        if phase == self.phase {
            return;
        }
        self.phase = phase;
        let now = OffsetDateTime::now_utc();
        if let Some(last) = self.bands.last_mut() {
            last.to = now;
        }
        self.bands.push(Band { phase, from: now, to: now });
        self.note(Entry::at(now, Kind::Phase, phase.to_string()));
    }

    /// Keeps what happened, and tells whom it may be told to.
    pub(super) fn note(&mut self, entry: Entry) {
        // The timeline is not what the rollback needs, so a full disk does not end the run here.
        let _ = self.journal.write(Record::Happened { entry: entry.clone() });
        let evidence = entry.evidence.as_ref().map(|evidence| format!(": {evidence}")).unwrap_or_default();
        let time = entry.at.format(format_description!("[hour]:[minute]:[second]")).unwrap_or_default();
        self.instruct(&format!("{time} {}{evidence}", entry.text));
        if !(self.settings.blind && entry.spoils) {
            (self.tell)(Event::Happened(entry.clone()));
        }
        self.timeline.push(entry);
    }

    fn instruct(&self, line: &str) {
        if let Some(path) = &self.settings.instructor
            && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path)
        {
            // A terminal that was closed is no reason to end the run.
            let _ = writeln!(file, "{line}");
        }
    }

    /// Looks at the load and the lab.
    pub(super) fn look(&mut self) -> Look {
        let now = OffsetDateTime::now_utc();
        let window = self.traffic.as_ref().map(|traffic| traffic.window(now)).unwrap_or_default();
        let sight = self.watch.as_ref().and_then(Watch::latest);
        let probes = &self.scenario().steady_state.probes;
        let unmet = Unmet::of(probes, &window, sight.as_ref(), self.guard.as_ref(), now);
        self.sample(now, sight.as_ref());
        self.last_unmet.clone_from(&unmet.reasons);
        let view = self.view(now, &window, sight.as_ref(), &unmet);
        let text = serde_json::to_vec(&view).unwrap_or_default();
        let (place, draft) = (self.folder.join(view::FILE), self.folder.join(format!("{}.new", view::FILE)));
        // Whole or not at all, for who reads it meanwhile.
        let _ = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, &place));
        (self.tell)(Event::Looks(view));
        Look { now, sight, unmet }
    }

    /// Keeps the second that has just ended.
    fn sample(&mut self, now: OffsetDateTime, sight: Option<&Sight>) {
        let Some(traffic) = &self.traffic else { return };
        let second = now.unix_timestamp() - 1;
        if self.samples.last().is_some_and(|last| last.at.unix_timestamp() > second) {
            return;
        }
        let (error_rate, p95_ms) = traffic.second(second);
        let at = OffsetDateTime::from_unix_timestamp(second + 1).unwrap_or(now);
        self.samples.push(Sample {
            at,
            error_rate,
            p95_ms,
            sessions: sight.and_then(|sight| sight.value(Quantity::DatabaseSessions)),
            tasks: sight.and_then(|sight| sight.value(Quantity::RunningTasks)),
        });
    }

    fn view(&self, now: OffsetDateTime, window: &Window, sight: Option<&Sight>, unmet: &Unmet) -> View {
        let well_since = if unmet.is_well() { self.bad_until.as_ref().map(|(at, _)| *at) } else { None };
        let hidden = self.scenario().is_without_fault() || self.settings.blind;
        View {
            run: self.id.clone(),
            called: self.settings.called.clone(),
            at: now,
            phase: self.phase,
            elapsed_s: (now - self.started_at).as_seconds_f64(),
            left_s: self.limit_at.filter(|_| !hidden).map(|limit| (limit - now).as_seconds_f64()),
            error_rate: window.error_rate,
            p95_ms: window.p95_ms,
            rate_per_s: window.rate_per_s,
            alarms: sight.map(|sight| sight.alarming().into_iter().map(str::to_owned).collect()).unwrap_or_default(),
            targets: sight.and_then(|sight| sight.targets.clone()).unwrap_or_default(),
            running: sight.and_then(|sight| sight.running),
            desired: sight.and_then(|sight| sight.desired),
            sessions: sight.and_then(|sight| sight.value(Quantity::DatabaseSessions)),
            unmet: unmet.reasons.clone(),
            well_s: well_since.map_or(0.0, |since| (now - since).as_seconds_f64()),
            window_s: self.verify_window().as_seconds_f64(),
            acknowledged: self.measured.acknowledged.is_some(),
            diagnosed: self.measured.diagnosed.is_some(),
            hints: self.hints,
        }
    }

    pub(super) fn verify_window(&self) -> Duration {
        self.scenario().verify_window.at(self.lab.speed).try_into().unwrap_or(Duration::ZERO)
    }

    /// Hears what was said in other terminals.
    ///
    /// # Errors
    /// When somebody wants an end.
    pub(super) fn listen(&mut self) -> Result<(), End> {
        let Ok(messages) = self.inbox.take() else { return Ok(()) };
        for message in messages {
            let said = |text: String| Entry::at(message.at, Kind::Person, text).by("inbox.jsonl");
            let moment = || Moment { at: message.at, evidence: format!("`gameday` by {}, inbox.jsonl", message.by) };
            match message.order {
                Order::Abort => {
                    self.note(said(format!("{} ends the run", message.by)));
                    return Err(End::Stopped(format!("ended by {}", message.by)));
                }
                Order::Ack if self.measured.fault.is_none() => {
                    self.false_alarms += 1;
                    self.note(said(format!("{} takes an incident that is none", message.by)).spoiling());
                }
                Order::Ack if self.measured.acknowledged.is_some() => {}
                Order::Ack => {
                    self.measured.acknowledged = Some(moment());
                    self.note(said(format!("{} takes the incident", message.by)));
                }
                Order::Diagnose { text } => {
                    self.measured.diagnosed = Some(moment());
                    let said = said(format!("{} says: {text}", message.by));
                    // The autopilot knows, and in a blind run people may look over its shoulder.
                    self.note(if message.by == autopilot::NAME { said.spoiling() } else { said });
                    self.diagnoses.push(text);
                }
                Order::Hint => {
                    self.hints += 1;
                    self.note(said(format!("{} asks for hint {}", message.by, self.hints)));
                }
            }
        }
        Ok(())
    }

    pub(super) fn inbox(&self) -> Inbox {
        Inbox::of(&self.folder)
    }
}
