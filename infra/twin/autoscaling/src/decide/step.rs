//! Step scaling: an adjustment by how far the metric is beyond the threshold ("Step scaling policies").

use super::{Direction, Proposal, Situation};
use crate::policy::{Step, StepScaling};

/// What the policy wants where the metric is `beyond` above (or, negative, below) the threshold of an alarm that watches for
/// values above it, or below it. None where no step covers that.
pub(crate) fn proposal(situation: &Situation, policy: &StepScaling, beyond: f64, above: bool) -> Option<Proposal> {
    let adjustment = policy.steps().iter().find(|step| covers(step, beyond, above))?.adjustment;
    let base = match adjustment > 0 {
        true => situation.base(),
        false => situation.capacity,
    };
    let wanted = match policy.adjustment_type.as_deref() {
        Some("ExactCapacity") => adjustment,
        Some("PercentChangeInCapacity") => {
            base.saturating_add(percent(base, adjustment, policy.min_adjustment_magnitude.unwrap_or(1)))
        }
        _ => base.saturating_add(adjustment),
    };
    let exact = policy.adjustment_type.as_deref() == Some("ExactCapacity");
    let fewer = if exact { wanted < situation.capacity } else { adjustment < 0 };
    Some(Proposal { direction: if fewer { Direction::In } else { Direction::Out }, wanted: wanted.max(0) })
}

/// Above the threshold the lower bound belongs to the step, below it the upper one.
fn covers(step: &Step, beyond: f64, above: bool) -> bool {
    let (lower, upper) = (step.lower.unwrap_or(f64::NEG_INFINITY), step.upper.unwrap_or(f64::INFINITY));
    if above { (lower..upper).contains(&beyond) } else { lower < beyond && beyond <= upper }
}

/// The percentage in tasks, towards zero, and at least `least` of them.
fn percent(base: i64, adjustment: i64, least: i64) -> i64 {
    let change = base.saturating_mul(adjustment) / 100;
    match adjustment.signum() {
        0 => 0,
        sign => change.abs().max(least.max(1)) * sign,
    }
}
