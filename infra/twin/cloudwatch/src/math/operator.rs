//! Operators between scalars, series, and arrays of series.

use super::{MathError, Operand, Operator, TimeSeries};

impl Operator {
    fn apply(self, left: f64, right: f64) -> f64 {
        let truth = |holds: bool| f64::from(u8::from(holds));
        #[allow(clippy::float_cmp, reason = "== is the caller's word")]
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Power => left.powf(right),
            Self::Or => truth(left != 0.0 || right != 0.0),
            Self::And => truth(left != 0.0 && right != 0.0),
            Self::Equal => truth(left == right),
            Self::NotEqual => truth(left != right),
            Self::Less => truth(left < right),
            Self::LessOrEqual => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::GreaterOrEqual => truth(left >= right),
        }
    }
}

/// `left operator right`; of two arrays only arrays of the same length have a meaning.
pub(super) fn apply(operator: Operator, left: Operand, right: Operand, position: usize) -> Result<Operand, MathError> {
    use Operand::{Many, Scalar, Series};
    Ok(match (left, right) {
        (Scalar(left), Scalar(right)) => Scalar(operator.apply(left, right)),
        (Series(left), Scalar(right)) => Series(left.mapped(|value| operator.apply(value, right))),
        (Scalar(left), Series(right)) => Series(right.mapped(|value| operator.apply(left, value))),
        (Series(left), Series(right)) => Series(between(operator, &left, &right)),
        (Many(left), Scalar(right)) => {
            Many(left.iter().map(|series| series.mapped(|value| operator.apply(value, right))).collect())
        }
        (Scalar(left), Many(right)) => {
            Many(right.iter().map(|series| series.mapped(|value| operator.apply(left, value))).collect())
        }
        (Many(left), Series(right)) => Many(left.iter().map(|series| between(operator, series, &right)).collect()),
        (Series(left), Many(right)) => {
            let one =
                |series: &TimeSeries| TimeSeries { label: series.label.clone(), ..between(operator, &left, series) };
            Many(right.iter().map(one).collect())
        }
        (Many(left), Many(right)) if left.len() == right.len() => {
            Many(left.iter().zip(&right).map(|(left, right)| between(operator, left, right)).collect())
        }
        (Many(left), Many(right)) => {
            let what = format!("Two arrays of {} and {} time series do not combine", left.len(), right.len());
            return Err(MathError::at(position, what));
        }
    })
}

/// A missing value is 0 where the other series has one ("Basic arithmetic functions").
fn between(operator: Operator, left: &TimeSeries, right: &TimeSeries) -> TimeSeries {
    let times = left.points.keys().chain(right.points.keys());
    let at = |series: &TimeSeries, time| series.points.get(time).copied().unwrap_or(0.0);
    let points = times.map(|time| (*time, operator.apply(at(left, time), at(right, time))));
    TimeSeries { period_s: left.period_s.max(right.period_s), ..left.with(points) }
}
