//! How a run ended, and whether that is passed.

use std::time::Duration;

use time::OffsetDateTime;

use super::drill::Drill;
use crate::{Outcome, Score, Verdict, score::Facts};

/// How the rounds before the rollback ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The service is well again, or was all the while.
    Well,
    /// The time was over.
    Late { after: Duration, reasons: Vec<String> },
    /// Somebody ended it.
    Stopped(String),
    /// It could not go on.
    Failed(String),
}

impl Drill<'_> {
    /// Ends the load, judges and counts.
    pub(super) async fn outcome(&mut self, end: &End, not_restored: Option<String>) -> Outcome {
        if let Some(traffic) = self.traffic.take() {
            let _ = traffic.end().await;
        }
        let scenario = self.scenario();
        let facts = Facts {
            scenario,
            speed: self.lab.speed,
            measured: &self.measured,
            diagnoses: &self.diagnoses,
            hints: self.hints,
            false_alarms: self.false_alarms,
        };
        let score = Score::of(&facts);
        let mut reasons = self.reasons(end);
        reasons.extend(not_restored.iter().map(|reason| format!("the lab was not put back: {reason}")));
        let passed = reasons.is_empty();
        if passed {
            reasons.push(self.praise());
        }
        self.timeline.sort_by_key(|entry| entry.at);
        Outcome {
            run: self.id.clone(),
            scenario: scenario.id.clone(),
            title: scenario.title.clone(),
            brief: scenario.brief.trim().to_owned(),
            severity: format!("{:?}", scenario.severity).to_lowercase(),
            roles: scenario.roles.clone(),
            speed: self.lab.speed,
            autopilot: self.settings.autopilot,
            started_at: self.started_at,
            ended_at: OffsetDateTime::now_utc(),
            verdict: Verdict { passed, reasons },
            measured: self.measured.clone(),
            score,
            truth: scenario.truth.sentence(),
            diagnoses: self.diagnoses.clone(),
            decoys: scenario.decoys.iter().map(|decoy| (decoy.says.clone(), decoy.because.clone())).collect(),
            runbook: scenario.runbook.as_ref().map(|id| id.value.clone()),
            missing_signals: self.missing_signals.iter().map(|name| (*name).to_owned()).collect(),
            timeline: self.timeline.clone(),
            samples: self.samples.clone(),
            bounds: scenario.steady_state.bounds(),
            bands: self.bands.clone(),
            not_restored,
        }
    }

    /// Why it is not passed; empty when it is.
    fn reasons(&self, end: &End) -> Vec<String> {
        let mut reasons = match end {
            End::Well => Vec::new(),
            End::Stopped(why) => return vec![format!("stopped: {why}")],
            End::Failed(why) => return vec![why.clone()],
            End::Late { after, reasons } => {
                vec![format!("not recovered within {:.1} s: {}", after.as_secs_f64(), reasons.join("; "))]
            }
        };
        let (scenario, measured) = (self.scenario(), &self.measured);
        if scenario.is_without_fault() {
            if self.false_alarms > 0 {
                reasons.push(format!("{} false alarms: nothing was wrong", self.false_alarms));
            }
            if let Some((_, words)) = &self.bad_until {
                reasons.push(format!("something was wrong although nothing was broken: {words}"));
            }
            let alarms = self.transitions.iter().filter(|transition| transition.to == "ALARM");
            reasons.extend(
                alarms.map(|alarm| format!("the alarm {} told of something although nothing was broken", alarm.alarm)),
            );
            if let Some(last) = self.diagnoses.last().filter(|text| !scenario.truth.cause.is_said_in(text)) {
                reasons.push(format!("`{last}` was said although nothing was broken"));
            }
            return reasons;
        }
        let thresholds = scenario.thresholds();
        let late = |what: &str, taken: Option<Duration>, limit: Duration| match taken {
            None => Some(format!("never {what}")),
            Some(taken) if taken > limit => {
                Some(format!("{what} after {:.1} s, limit {:.1} s", taken.as_secs_f64(), limit.as_secs_f64()))
            }
            Some(_) => None,
        };
        reasons.extend(late("detected", measured.mttd(), thresholds.detect.limit.at(self.lab.speed)));
        if matches!(end, End::Well) {
            reasons.extend(late("recovered", measured.mttr(), thresholds.recover.limit.at(self.lab.speed)));
        }
        reasons
    }

    fn praise(&self) -> String {
        let seconds =
            |time: Option<Duration>| time.map_or("–".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
        if self.scenario().is_without_fault() {
            return "nothing was wrong, and nobody said otherwise".to_owned();
        }
        let measured = &self.measured;
        format!(
            "detected after {}, recovered after {}, verified after {}",
            seconds(measured.mttd()),
            seconds(measured.mttr()),
            seconds(measured.mttv())
        )
    }
}
