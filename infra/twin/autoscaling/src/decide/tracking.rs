//! Target tracking: as many tasks as bring the metric to the target.

use super::{Direction, Proposal, Situation};

/// The capacity for scale-out: proportional to the mean of the datapoints that raised the alarm, and one more at least.
pub(crate) fn scale_out(situation: &Situation, datapoints: &[f64], target: f64) -> Option<Proposal> {
    let mean = mean(datapoints)?;
    let base = situation.base();
    let wanted = proportional(base.max(1), mean, target)?.max(base + 1);
    Some(Proposal { direction: Direction::Out, wanted })
}

/// The capacity for scale-in: proportional to the highest of the datapoints, and a tenth fewer at most.
pub(crate) fn scale_in(capacity: i64, datapoints: &[f64], target: f64) -> Option<i64> {
    let highest = datapoints.iter().copied().reduce(f64::max)?;
    let gradual = capacity - (capacity / 10).max(1);
    Some(proportional(capacity, highest, target)?.max(gradual))
}

pub(crate) fn mean(datapoints: &[f64]) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "an alarm judges at most some thousand datapoints")]
    let count = datapoints.len() as f64;
    (!datapoints.is_empty()).then(|| datapoints.iter().sum::<f64>() / count)
}

/// `capacity * metric / target`, rounded up; none where that is no number.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
fn proportional(capacity: i64, metric: f64, target: f64) -> Option<i64> {
    let exact = capacity as f64 * metric / target;
    // 3 tasks at 60 of 60 are 3, whatever the last bit of the division says.
    exact.is_finite().then(|| (exact - 1e-9).ceil().clamp(0.0, 1e9) as i64)
}
