//! The steady state is proved under load before anything is broken, and then the fault is made.

use std::time::Duration;

use time::OffsetDateTime;

use super::{
    Stop,
    drill::{Drill, Look},
    traffic::Traffic,
    verdict::End,
    watch::{Sight, Watch},
};
use crate::{
    Entry, Kind, Moment, Phase, inject,
    scenario::{Length, Quantity},
};

/// Between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(500);
/// What alarms of an earlier incident and a fresh lab need to become OK, beside the window itself.
const PATIENCE: Length = Length::minutes(15);
/// Real time for which alarms that the scenario does not expect may still become OK. Then they are noted and not waited for: the
/// queue's depth, for one, tells of earlier alarms until somebody reads them.
const COURTESY: Duration = Duration::from_secs(15);
/// Real time beside that: a lab is not faster than its processes.
const LEAST_PATIENCE: Duration = Duration::from_secs(90);

impl Drill<'_> {
    /// Starts load and watch, and waits until all probes held for the window and the expected alarms are OK.
    pub(super) async fn prove_steady(&mut self, stop: &Stop) -> Result<(), End> {
        self.enter(Phase::SteadyState);
        let scenario = self.scenario();
        let slow = scenario.steady_state.probes.iter().find(|probe| probe.quantity == Quantity::P95Ms);
        let traffic = Traffic::start(&self.lab.url, &scenario.load, slow.and_then(|probe| probe.at_most));
        self.traffic = Some(traffic.map_err(|error| End::Failed(format!("the load cannot be offered: {error}")))?);
        self.watch = Some(Watch::start(self.lab, quantities(&scenario.steady_state.probes)));
        let window = scenario.steady_state.window.at(self.lab.speed);
        let begin = OffsetDateTime::now_utc();
        let patience = window + PATIENCE.at(self.lab.speed).max(LEAST_PATIENCE);
        let mut steady_since: Option<OffsetDateTime> = None;
        loop {
            tokio::select! {
                () = stop.end.cancelled() => return Err(End::Stopped("interrupted".to_owned())),
                () = tokio::time::sleep(LOOK) => {}
            }
            self.listen()?;
            let Look { now, sight, unmet } = self.look();
            let others = sight.as_ref().map(|sight| self.others(sight)).unwrap_or_default();
            let mut reasons =
                [unmet.reasons, sight.as_ref().map(|sight| self.uneasy(sight)).unwrap_or_default()].concat();
            if now - begin < COURTESY {
                reasons.extend(others.iter().map(|name| format!("the alarm {name} is in ALARM")));
            }
            if reasons.is_empty() {
                let since = *steady_since.get_or_insert(now);
                if now - since >= window {
                    self.guard = sight.and_then(|sight| sight.guard);
                    let text = format!(
                        "steady for {:.1} s under {} requests a second",
                        window.as_secs_f64(),
                        scenario.load.rate_per_s
                    );
                    self.note(Entry::now(Kind::Measured, text).by("the probes of the scenario, each second"));
                    for name in others {
                        self.note(Entry::now(Kind::Alarm, format!("{name} was in ALARM before")).by("DescribeAlarms"));
                    }
                    return Ok(());
                }
            } else {
                steady_since = None;
                if now - begin >= patience {
                    let waited = patience.as_secs();
                    return Err(End::Failed(format!("no steady state within {waited} s: {}", reasons.join("; "))));
                }
            }
        }
    }

    /// Expected alarms that cannot change from OK to ALARM.
    fn uneasy(&self, sight: &Sight) -> Vec<String> {
        let mut reasons = Vec::new();
        for name in &self.scenario().expect.alarms {
            match sight.alarms.as_ref().and_then(|alarms| alarms.get(name)) {
                Some(alarm) if alarm.state == "OK" => {}
                other => {
                    let state = other.map_or("not described", |alarm| alarm.state.as_str());
                    reasons.push(format!("the alarm {name} is {state}"));
                }
            }
        }
        reasons
    }

    /// Alarms that tell of something else.
    fn others(&self, sight: &Sight) -> Vec<String> {
        let expected = &self.scenario().expect.alarms;
        let others = sight.alarming().into_iter().filter(|name| !expected.iter().any(|expected| expected == name));
        others.map(str::to_owned).collect()
    }

    /// Makes the changes. The last one is the fault.
    pub(super) async fn inject(&mut self, stop: &Stop) -> Result<(), End> {
        self.enter(Phase::Inject);
        self.look();
        let scenario = self.scenario();
        for (index, step) in scenario.inject.iter().enumerate() {
            if stop.end.is_cancelled() {
                return Err(End::Stopped("interrupted".to_owned()));
            }
            let sent = inject::apply(self.lab, &mut self.journal, index, step, self.settings.blind).await;
            let sent = sent.map_err(|error| {
                let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
                End::Failed(format!("the fault was not made: {error}{}", source.unwrap_or_default()))
            })?;
            self.note(
                Entry::at(sent, Kind::Injected, &step.name).by(format!("journal.jsonl, step {index}")).spoiling(),
            );
            self.measured.fault =
                Some(Moment { at: sent, evidence: format!("the call of step {index}: {}", step.name) });
        }
        Ok(())
    }
}

/// What CloudWatch is asked for: what the probes need, and the sessions for the chart.
fn quantities(probes: &[crate::scenario::Probe]) -> Vec<Quantity> {
    let mut quantities: Vec<Quantity> = probes.iter().map(|probe| probe.quantity).collect();
    quantities.push(Quantity::DatabaseSessions);
    quantities.sort_unstable();
    quantities.dedup();
    quantities
}
