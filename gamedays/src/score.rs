//! Points, each with its reason.
//!
//! A hundred in all: detect 20, acknowledge 10, diagnose 25, recover 30, verify 15; hints, false alarms and repeated guesses cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    outcome::Measured,
    scenario::{Limits, Scenario, says},
};

/// Points for the part that is broken, and for what is wrong with it.
const COMPONENT: u32 = 10;
const CAUSE: u32 = 15;
/// What a diagnosis loses for a decoy that it names, and for each one that was given before it.
const DECOY: u32 = 8;
const GUESS: u32 = 5;
/// What a false alarm costs.
const FALSE_ALARM: u32 = 15;
/// Words of a diagnosis that are read: a list of everything is none.
const WORDS: usize = 40;

/// All points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Between 0 and 100.
    pub total: u32,
    /// In the order of the phases, then what was taken off.
    pub items: Vec<Item>,
}

/// Points for one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What for.
    pub name: String,
    /// How many; negative for what costs.
    pub points: i64,
    /// At most; 0 for what costs.
    pub of: u32,
    /// Why.
    pub reason: String,
}

/// What is scored.
pub(crate) struct Facts<'run> {
    pub scenario: &'run Scenario,
    pub speed: f64,
    pub measured: &'run Measured,
    pub diagnoses: &'run [String],
    pub hints: usize,
    pub false_alarms: usize,
}

impl Score {
    pub(crate) fn of(facts: &Facts<'_>) -> Self {
        let (scenario, measured) = (facts.scenario, facts.measured);
        let thresholds = scenario.thresholds();
        let mut items = if scenario.is_without_fault() {
            quiet(facts)
        } else {
            let since_alarm = measured.acknowledged.as_ref().map(|moment| {
                let from = measured.detected.as_ref().or(measured.fault.as_ref()).map_or(moment.at, |from| from.at);
                Duration::try_from(moment.at - from).unwrap_or_default()
            });
            let mut acknowledge = timed("acknowledge", 10, since_alarm, thresholds.detect, facts.speed);
            acknowledge.reason.push_str(" after the alarm");
            vec![
                timed("detect", 20, measured.mttd(), thresholds.detect, facts.speed),
                acknowledge,
                diagnose(facts),
                timed("recover", 30, measured.mttr(), thresholds.recover, facts.speed),
                verify(facts),
            ]
        };
        let mut costs = |name: &str, cost: u32, reason: String| {
            if cost > 0 {
                items.push(Item { name: name.to_owned(), points: -i64::from(cost), of: 0, reason });
            }
        };
        let hints = scenario.hints.iter().take(facts.hints).map(|hint| hint.penalty).sum();
        costs("hints", hints, format!("{} asked for", facts.hints));
        let false_alarms = u32::try_from(facts.false_alarms).unwrap_or(u32::MAX);
        costs(
            "false alarms",
            FALSE_ALARM.saturating_mul(false_alarms),
            format!("{false_alarms} without anything wrong"),
        );
        let total = items.iter().map(|item| item.points).sum::<i64>().clamp(0, 100);
        Self { total: u32::try_from(total).unwrap_or_default(), items }
    }
}

/// All points up to the target, a third at the limit, none after it.
fn timed(name: &str, of: u32, taken: Option<Duration>, limits: Limits, speed: f64) -> Item {
    let (target, limit) = (limits.target.at(speed), limits.limit.at(speed));
    let (points, reason) = match taken {
        None => (0.0, "never".to_owned()),
        Some(taken) => {
            let share = if taken <= target {
                1.0
            } else if taken > limit {
                0.0
            } else {
                1.0 - (taken - target).as_secs_f64() / (limit - target).as_secs_f64() * (2.0 / 3.0)
            };
            let seconds = |time: Duration| time.as_secs_f64();
            let reason =
                format!("{:.1} s; target {:.1} s, limit {:.1} s", seconds(taken), seconds(target), seconds(limit));
            (share * f64::from(of), reason)
        }
    };
    Item { name: name.to_owned(), points: whole(points), of, reason }
}

#[allow(clippy::cast_possible_truncation, reason = "points are between 0 and 30")]
fn whole(points: f64) -> i64 {
    points.round() as i64
}

fn diagnose(facts: &Facts<'_>) -> Item {
    let item = |points: u32, reason: String| Item {
        name: "diagnose".to_owned(),
        points: i64::from(points),
        of: COMPONENT + CAUSE,
        reason,
    };
    let Some((last, before)) = facts.diagnoses.split_last() else {
        return item(0, "nobody said what it is".to_owned());
    };
    let text = last.split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ");
    let truth = &facts.scenario.truth;
    let mut reasons = Vec::new();
    let mut points = 0;
    for (what, answer, worth) in [("component", &truth.component, COMPONENT), ("cause", &truth.cause, CAUSE)] {
        if answer.is_said_in(&text) {
            points += worth;
            reasons.push(format!("the {what} is right"));
        } else {
            reasons.push(format!("the {what} is not said"));
        }
    }
    for decoy in facts.scenario.decoys.iter().filter(|decoy| says(&text, &decoy.says)) {
        points = points.saturating_sub(DECOY);
        reasons.push(format!("`{}` is a decoy: {}", decoy.says, decoy.because));
    }
    if !before.is_empty() {
        points = points.saturating_sub(GUESS * u32::try_from(before.len()).unwrap_or(u32::MAX));
        reasons.push(format!("guess {} of {0}", before.len() + 1));
    }
    item(points, reasons.join("; "))
}

fn verify(facts: &Facts<'_>) -> Item {
    let window = facts.scenario.verify_window.at(facts.speed).as_secs_f64();
    let (points, reason) = match &facts.measured.verified {
        Some(_) => (15, format!("well under load for {window:.1} s")),
        None => (0, format!("never well under load for {window:.1} s")),
    };
    Item { name: "verify".to_owned(), points, of: 15, reason }
}

/// A round without a fault: patience is what counts.
fn quiet(facts: &Facts<'_>) -> Vec<Item> {
    let calm = facts.false_alarms == 0;
    let reason = if calm { "nobody took an incident that was none" } else { "an incident was taken that was none" };
    let stay =
        Item { name: "stay calm".to_owned(), points: if calm { 60 } else { 0 }, of: 60, reason: reason.to_owned() };
    vec![stay, diagnose(facts), verify(facts)]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use time::{OffsetDateTime, ext::NumericalDuration as _};

    use super::*;
    use crate::outcome::Moment;

    fn scenario() -> Scenario {
        let yaml = "title: t\nbrief: b\nseverity: high\nrunbook: r\nsteady_state: {probes: [{probe: p95_ms, at_most: 400}]}\n\
            inject: [{name: x, parameter: hang}]\nhints: [{text: a, penalty: 3}, {text: b, penalty: 5}]\n\
            truth: {component: {is: secret}, cause: {is: rotated}}\ndecoys: [{says: network, because: it is up}]\n";
        Scenario::parse(Path::new("x.yaml"), yaml).unwrap_or_else(|flaw| panic!("{flaw}"))
    }

    fn measured(detected: i64, recovered: i64) -> Measured {
        let at =
            |seconds: i64| Some(Moment { at: OffsetDateTime::UNIX_EPOCH + seconds.seconds(), evidence: String::new() });
        Measured {
            fault: at(0),
            detected: at(detected),
            acknowledged: at(detected + 1),
            diagnosed: None,
            recovered: at(recovered),
            verified: at(recovered + 6),
        }
    }

    fn score(measured: &Measured, diagnoses: &[&str], hints: usize, false_alarms: usize) -> Score {
        let (scenario, diagnoses) = (scenario(), diagnoses.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        Score::of(&Facts { scenario: &scenario, speed: 10.0, measured, diagnoses: &diagnoses, hints, false_alarms })
    }

    #[test]
    fn a_quick_and_right_team_gets_all() {
        assert_eq!(score(&measured(20, 100), &["the secret was rotated"], 0, 0).total, 100);
    }

    #[test]
    fn points_fall_from_the_target_to_the_limit_and_end_there() {
        let points = |detected| score(&measured(detected, 100), &[], 0, 0).items[0].points;
        // High: 5 and 15 minutes, a tenth of it here.
        assert_eq!((points(30), points(60), points(90), points(91)), (20, 13, 7, 0));
        let never = Measured { detected: None, ..measured(0, 100) };
        assert_eq!(score(&never, &[], 0, 0).items[0].reason, "never");
    }

    #[test]
    fn half_a_diagnosis_gets_a_part_and_a_guess_costs() {
        let points = |texts: &[&str]| score(&measured(20, 100), texts, 0, 0).items[2].points;
        assert_eq!(points(&["something with a secret"]), 10);
        assert_eq!(points(&["it was rotated"]), 15);
        assert_eq!(points(&["the network, or the rotated secret"]), 17);
        assert_eq!(points(&["disk", "cpu", "the secret was rotated"]), 15);
        assert_eq!(
            points(&["w ".repeat(40).as_str(), &("w ".repeat(40) + "secret rotated")]),
            0,
            "a list of everything"
        );
    }

    #[test]
    fn hints_and_false_alarms_cost() {
        let dear = score(&measured(20, 100), &["the secret was rotated"], 2, 1);
        assert_eq!(dear.total, 100 - 8 - 15);
        assert_eq!(score(&Measured::default(), &[], 2, 3).total, 0, "never below nothing");
    }
}
