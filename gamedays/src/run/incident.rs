//! From the fault to the end of the good window: everything that people do happens here, in whatever order they do it.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};

use super::{
    Stop,
    autopilot::{self, Autopilot},
    drill::{Drill, Look},
    signals::{self, Search},
    steady::LOOK,
    verdict::End,
    watch::{Sight, transitions},
};
use crate::{Entry, Kind, Moment, Order, Phase};

/// How long a lab may be silent before the run is given up.
const SILENCE: Duration = Duration::from_secs(20);
/// How long those who have mended it may still think about what it was.
const AFTERTHOUGHT: Duration = Duration::from_secs(60);

impl Drill<'_> {
    pub(super) async fn attend(&mut self, stop: &Stop) -> End {
        let scenario = self.scenario();
        let begin = self.measured.fault.as_ref().map_or_else(OffsetDateTime::now_utc, |fault| fault.at);
        let limit = self.settings.limit.unwrap_or_else(|| scenario.thresholds().recover.limit.at(self.lab.speed));
        self.limit_at = Some(begin + limit);
        self.missing_signals = signals::promised(&scenario.expect);
        let (detected, is_detected) = watch::channel(false);
        let (tell_signal, mut signals) = mpsc::unbounded_channel();
        let (tell_step, mut steps) = mpsc::unbounded_channel();
        let _search = Search::start(self.lab, scenario, begin, tell_signal);
        let mut autopilot = self.settings.runbook.clone().filter(|_| self.settings.autopilot).map(|runbook| {
            let diagnosis = scenario.truth.sentence();
            let alarms_tell = !scenario.expect.alarms.is_empty();
            Autopilot::start(self.lab, runbook, diagnosis, self.inbox(), is_detected, alarms_tell, tell_step)
        });
        let (mut autopilot_done, mut seen_at) = (autopilot.is_none(), OffsetDateTime::now_utc());
        self.enter(Phase::Detect);
        loop {
            tokio::select! {
                () = stop.end.cancelled() => return End::Stopped("interrupted".to_owned()),
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(end) = self.listen() {
                return end;
            }
            while let Ok(seen) = signals.try_recv() {
                self.missing_signals.retain(|name| *name != seen.name);
                self.note(seen.entry);
            }
            while let Ok(entry) = steps.try_recv() {
                self.note(entry);
            }
            let Look { now, sight, unmet } = self.look();
            if sight.as_ref().is_some_and(|sight| sight.error.is_none() && now - sight.at < SILENCE) {
                seen_at = now;
            } else if now - seen_at >= SILENCE {
                let why = sight.and_then(|sight| sight.error).unwrap_or_else(|| "no answer".to_owned());
                return End::Failed(format!("the lab is silent: {why}"));
            }
            self.follow_alarms(begin).await;
            self.follow_targets(sight.as_ref());
            if let Some((at, words)) = unmet.bad_until.clone().filter(|(at, _)| *at >= begin)
                && self.bad_until.as_ref().is_none_or(|(last, _)| *last < at)
            {
                self.bad_until = Some((at, words));
            }
            if self.measured.detected.is_some() {
                // Nobody may be waiting for it.
                let _ = detected.send(true);
            }
            self.enter(self.next_phase(unmet.is_well()));
            if let Some(autopilot) = &mut autopilot
                && !autopilot_done
            {
                match autopilot.ended().await {
                    Some(Ok(())) => autopilot_done = true,
                    Some(Err(reason)) => return End::Failed(reason),
                    None => {}
                }
            }
            let over = self.limit_at.is_some_and(|limit| now >= limit);
            if scenario.is_without_fault() {
                if let Some(end) = self.quiet(now, begin, over) {
                    return end;
                }
                continue;
            }
            if unmet.is_well() && autopilot_done && self.is_verified(now, sight.as_ref()) {
                return End::Well;
            }
            if over {
                let reasons =
                    if unmet.is_well() { vec!["it was not well for long enough".to_owned()] } else { unmet.reasons };
                return End::Late { after: limit, reasons };
            }
        }
    }

    /// What is missing next.
    fn next_phase(&self, is_well: bool) -> Phase {
        let measured = &self.measured;
        if self.scenario().is_without_fault() {
            return Phase::Detect;
        }
        match (measured.detected.is_some(), measured.acknowledged.is_some(), measured.diagnosed.is_some()) {
            _ if is_well && self.bad_until.is_some() && measured.acknowledged.is_some() => Phase::Verify,
            (false, false, _) => Phase::Detect,
            (_, false, _) => Phase::Acknowledge,
            (_, true, false) => Phase::Diagnose,
            (_, true, true) => Phase::Mitigate,
        }
    }

    /// Notes every change of an alarm; the first expected one is the detection.
    async fn follow_alarms(&mut self, since: OffsetDateTime) {
        let Ok(found) = transitions(self.lab, since).await else { return };
        for transition in found {
            if self.transitions.contains(&transition) {
                continue;
            }
            let entry = Entry::at(
                transition.at,
                Kind::Alarm,
                format!("{}: {} → {}", transition.alarm, transition.from, transition.to),
            );
            self.note(entry.by(format!("DescribeAlarmHistory: {}", transition.reason)));
            let expected = self.scenario().expect.alarms.contains(&transition.alarm);
            if expected && transition.to == "ALARM" && self.measured.detected.is_none() {
                let evidence = format!("DescribeAlarmHistory: {} {} → ALARM", transition.alarm, transition.from);
                self.measured.detected = Some(Moment { at: transition.at, evidence });
            }
            self.transitions.push(transition);
        }
        // Where no alarm tells of it, whoever takes it has detected it.
        if self.scenario().expect.alarms.is_empty() && !self.scenario().is_without_fault() {
            self.measured.detected.clone_from(&self.measured.acknowledged);
        }
    }

    fn follow_targets(&mut self, sight: Option<&Sight>) {
        let (Some(wanted), Some(sight)) = (&self.scenario().expect.targets, sight) else { return };
        if !self.missing_signals.contains(&signals::TARGETS) {
            return;
        }
        let found = sight.reasons.iter().find(|(state, reason)| {
            *state == wanted.state && wanted.reason.as_ref().is_none_or(|wanted| wanted == reason)
        });
        if let Some((state, reason)) = found {
            self.missing_signals.retain(|name| *name != signals::TARGETS);
            let entry = Entry::at(sight.at, Kind::Signal, "target health shows it");
            self.note(entry.by(format!("DescribeTargetHealth: {state} {reason}")).spoiling());
        }
    }

    /// Whether the service was well for the whole window, and the alarms say so too.
    fn is_verified(&mut self, now: OffsetDateTime, sight: Option<&Sight>) -> bool {
        let Some((bad_until, words)) = self.bad_until.clone().or_else(|| self.quiet_again()) else { return false };
        let window = self.verify_window();
        if now - bad_until < window {
            return false;
        }
        let expected = &self.scenario().expect.alarms;
        let alarming = sight.map(Sight::alarming).unwrap_or_default();
        if alarming.iter().any(|name| expected.iter().any(|expected| expected == name)) {
            return false;
        }
        if self.measured.verified.is_none() {
            self.measured.recovered = Some(Moment { at: bad_until, evidence: format!("the last bad sample: {words}") });
            let quiet = if expected.is_empty() { "" } else { "; the expected alarms were OK again when it was judged" };
            let evidence = format!("{:.1} s of good samples{quiet}", window.as_seconds_f64());
            self.measured.verified = Some(Moment { at: bad_until + window, evidence });
            if self.diagnoses.is_empty() {
                self.note(Entry::at(now, Kind::Measured, "the service is well; what was it? (`gameday diagnose`)"));
            }
        }
        !self.diagnoses.is_empty() || now - bad_until >= window + AFTERTHOUGHT
    }

    /// Where neither load nor probes were bad: when the last expected alarm became OK again.
    fn quiet_again(&self) -> Option<(OffsetDateTime, String)> {
        let expected = &self.scenario().expect.alarms;
        let ends = self.transitions.iter().filter(|change| change.to == "OK" && expected.contains(&change.alarm));
        let last = ends.max_by_key(|change| change.at)?;
        self.measured.detected.as_ref().filter(|detected| detected.at <= last.at)?;
        Some((last.at, format!("none; {} was OK again", last.alarm)))
    }

    /// A round without a fault ends when its time is over, or when somebody has said that nothing is wrong.
    fn quiet(&mut self, now: OffsetDateTime, begin: OffsetDateTime, over: bool) -> Option<End> {
        let scenario = self.scenario();
        let asked_for = scenario.thresholds().detect.target.at(self.lab.speed);
        if self.settings.autopilot && self.diagnoses.is_empty() && now - begin >= asked_for {
            let text = scenario.truth.sentence();
            if let Err(error) = self.inbox().say(autopilot::NAME, Order::Diagnose { text }) {
                return Some(End::Failed(format!("the inbox cannot be written: {error}")));
            }
        }
        let said = !self.diagnoses.is_empty() && now - begin >= self.verify_window();
        if said || over {
            if self.bad_until.is_none() {
                let evidence = "no sample was bad".to_owned();
                self.measured.verified = Some(Moment { at: now, evidence });
            }
            return Some(End::Well);
        }
        None
    }
}
