//! FILL: values where a series has none.

use super::{Grid, MathError, Operand, TimeSeries};

/// What missing values become.
pub(super) enum Filler {
    /// The value before.
    Repeat,
    /// On the line between the values around it.
    Linear,
    Value(Operand),
}

/// Fills one series or each of many. A series without any value is filled by a scalar or a series, not by REPEAT or LINEAR.
pub(super) fn fill(what: Operand, filler: &Filler, grid: Grid, position: usize) -> Result<Operand, MathError> {
    if matches!(filler, Filler::Value(Operand::Many(_))) {
        return Err(MathError::at(position, "FILL fills with a scalar, one time series, REPEAT or LINEAR"));
    }
    match what {
        Operand::Series(series) => Ok(Operand::Series(one(&series, filler, grid))),
        Operand::Many(many) => Ok(Operand::Many(many.iter().map(|series| one(series, filler, grid)).collect())),
        Operand::Scalar(_) => Err(MathError::at(position, "FILL takes time series, not a scalar")),
    }
}

fn one(series: &TimeSeries, filler: &Filler, grid: Grid) -> TimeSeries {
    let period_s = if series.period_s > 0 { series.period_s } else { grid.period_s };
    let missing = grid.times(period_s).filter(|at| !series.points.contains_key(at));
    let filled = missing.filter_map(|at| {
        let value = match filler {
            Filler::Value(Operand::Scalar(number)) => Some(*number),
            Filler::Value(Operand::Series(other)) => other.points.get(&at).copied(),
            Filler::Value(Operand::Many(_)) => None,
            Filler::Repeat => series.points.range(..at).next_back().map(|(_, value)| *value),
            Filler::Linear => linear(series, at),
        };
        value.map(|value| (at, value))
    });
    let points = series.points.iter().map(|(at, value)| (*at, *value)).chain(filled);
    TimeSeries { period_s, ..series.with(points) }
}

fn linear(series: &TimeSeries, at: i64) -> Option<f64> {
    let (before, low) = series.points.range(..at).next_back()?;
    let (after, high) = series.points.range(at..).next()?;
    #[allow(clippy::cast_precision_loss, reason = "seconds of a query")]
    let share = (at - before) as f64 / (after - before) as f64;
    Some(low + (high - low) * share)
}
