//! The functions of metric math.

use std::collections::BTreeMap;

use super::{Inputs, Kind, MathError, Node, Operand, TimeSeries, evaluate, fill, operator};
use crate::wire::moment;

/// Name, least and most arguments.
pub(super) const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("ABS", 1, 1),
    ("AVG", 1, 1),
    ("CEIL", 1, 1),
    ("DATAPOINT_COUNT", 1, 1),
    ("DATE", 1, 1),
    ("DAY", 1, 1),
    ("DIFF", 1, 1),
    ("DIFF_TIME", 1, 1),
    ("EPOCH", 1, 1),
    ("FILL", 2, 2),
    ("FIRST", 1, 1),
    ("FLOOR", 1, 1),
    ("HOUR", 1, 1),
    ("IF", 2, 3),
    ("LAST", 1, 1),
    ("LOG", 1, 1),
    ("LOG10", 1, 1),
    ("MAX", 1, 1),
    ("METRICS", 0, 1),
    ("METRIC_COUNT", 1, 1),
    ("MIN", 1, 1),
    ("MINUTE", 1, 1),
    ("MONTH", 1, 1),
    ("PERIOD", 1, 1),
    ("RATE", 1, 1),
    ("REMOVE_EMPTY", 1, 1),
    ("RUNNING_SUM", 1, 1),
    ("SLICE", 2, 3),
    ("SORT", 3, 4),
    ("STDDEV", 1, 1),
    ("SUM", 1, 1),
    ("TIME_SERIES", 1, 1),
    ("YEAR", 1, 1),
];

/// Whether that many arguments fit.
pub(super) fn check(name: &str, count: usize, position: usize) -> Result<(), MathError> {
    let fits = FUNCTIONS.iter().any(|(known, least, most)| *known == name && (*least..=*most).contains(&count));
    if fits { Ok(()) } else { Err(MathError::at(position, format!("{name} does not take {count} arguments"))) }
}

type Evaluated = Result<Operand, MathError>;

/// Calls a function.
pub(super) fn call(name: &str, arguments: &[Node], position: usize, inputs: &dyn Inputs) -> Evaluated {
    let value = |index: usize| match arguments.get(index) {
        Some(argument) => evaluate(argument, inputs),
        None => Err(MathError::at(position, format!("{name} lacks an argument"))),
    };
    match name {
        "METRICS" => metrics(arguments.first(), inputs),
        "IF" => {
            choose(value(0)?, value(1)?, arguments.get(2).map(|other| evaluate(other, inputs)).transpose()?, position)
        }
        "FILL" => {
            let filler = match arguments.get(1).map(|filler| &filler.kind) {
                Some(Kind::Word(word)) if word == "REPEAT" => fill::Filler::Repeat,
                Some(Kind::Word(word)) if word == "LINEAR" => fill::Filler::Linear,
                _ => fill::Filler::Value(value(1)?),
            };
            fill::fill(value(0)?, &filler, inputs.grid(), position)
        }
        "TIME_SERIES" => match value(0)? {
            Operand::Scalar(number) => {
                let grid = inputs.grid();
                let series = TimeSeries { period_s: grid.period_s, ..TimeSeries::default() };
                Ok(Operand::Series(series.with(grid.times(grid.period_s).map(|at| (at, number)))))
            }
            series => Ok(series),
        },
        "PERIOD" => match value(0)? {
            #[allow(clippy::cast_precision_loss, reason = "a period is at most a day")]
            Operand::Series(series) => Ok(Operand::Scalar(series.period_s as f64)),
            _ => Err(MathError::at(position, "PERIOD takes one metric")),
        },
        "METRIC_COUNT" | "FIRST" | "LAST" | "REMOVE_EMPTY" | "SLICE" | "SORT" => {
            let Operand::Many(many) = value(0)? else {
                return Err(MathError::at(position, format!("{name} takes an array of time series")));
            };
            array(name, many, arguments, position, inputs)
        }
        "SUM" | "AVG" | "MIN" | "MAX" | "STDDEV" | "DATAPOINT_COUNT" => match value(0)? {
            Operand::Series(series) => Ok(Operand::Scalar(reduce(name, series.points.values().copied(), None))),
            Operand::Many(many) => Ok(Operand::Series(across(name, &many))),
            Operand::Scalar(_) => Err(MathError::at(position, format!("{name} takes time series, not a scalar"))),
        },
        _ => match value(0)? {
            Operand::Series(series) => Ok(Operand::Series(over_time(name, &series, inputs))),
            Operand::Many(many) => {
                Ok(Operand::Many(many.iter().map(|series| over_time(name, series, inputs)).collect()))
            }
            Operand::Scalar(number) => scalar(name, number)
                .map(Operand::Scalar)
                .ok_or_else(|| MathError::at(position, format!("{name} takes time series, not a scalar"))),
        },
    }
}

fn metrics(argument: Option<&Node>, inputs: &dyn Inputs) -> Evaluated {
    let part = match argument.map(|node| &node.kind) {
        None => "",
        Some(Kind::Text(part)) => part,
        Some(_) => {
            let position = argument.map_or(1, |node| node.position);
            return Err(MathError::at(position, "METRICS takes nothing or a text"));
        }
    };
    let all = inputs.metrics().into_iter().filter(|(id, _)| id.contains(part));
    Ok(Operand::Many(all.map(|(_, series)| series).collect()))
}

/// One number out of many; `of` is how many there could have been, for AVG across series, which counts missing values as 0.
fn reduce(name: &str, values: impl Iterator<Item = f64> + Clone, of: Option<usize>) -> f64 {
    let count = values.clone().count();
    #[allow(clippy::cast_precision_loss, reason = "counts of datapoints")]
    let size = |count: usize| count as f64;
    match name {
        "SUM" => values.sum(),
        "AVG" => values.sum::<f64>() / size(of.unwrap_or(count)),
        "MIN" => values.reduce(f64::min).unwrap_or(f64::NAN),
        "MAX" => values.reduce(f64::max).unwrap_or(f64::NAN),
        "STDDEV" => {
            let mean = values.clone().sum::<f64>() / size(count);
            (values.map(|value| (value - mean).powi(2)).sum::<f64>() / size(count)).sqrt()
        }
        _ => size(count),
    }
}

fn across(name: &str, many: &[TimeSeries]) -> TimeSeries {
    let mut columns: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (at, value) in many.iter().flat_map(|series| &series.points) {
        columns.entry(*at).or_default().push(*value);
    }
    let period_s = many.iter().map(|series| series.period_s).max().unwrap_or_default();
    let of = (name == "AVG").then_some(many.len());
    let points = columns.into_iter().map(|(at, column)| (at, reduce(name, column.iter().copied(), of)));
    TimeSeries { period_s, ..TimeSeries::default() }.with(points)
}

fn scalar(name: &str, number: f64) -> Option<f64> {
    Some(match name {
        "ABS" => number.abs(),
        "CEIL" => number.ceil(),
        "FLOOR" => number.floor(),
        "LOG" => number.ln(),
        "LOG10" => number.log10(),
        _ => return None,
    })
}

fn over_time(name: &str, series: &TimeSeries, inputs: &dyn Inputs) -> TimeSeries {
    if scalar(name, 1.0).is_some() {
        return series.mapped(|value| scalar(name, value).unwrap_or(f64::NAN));
    }
    #[allow(clippy::cast_precision_loss, reason = "seconds of this era")]
    let seconds = |difference: i64| difference as f64;
    let pairs = || series.points.iter().zip(series.points.iter().skip(1));
    match name {
        "DIFF" => series.with(pairs().map(|((_, before), (at, now))| (*at, now - before))),
        "DIFF_TIME" => series.with(pairs().map(|((before, _), (at, _))| (*at, seconds(at - before)))),
        "RATE" => {
            series.with(pairs().map(|((before, earlier), (at, now))| (*at, (now - earlier) / seconds(at - before))))
        }
        "RUNNING_SUM" => series.with(series.points.iter().scan(0.0, |sum, (at, value)| {
            *sum += value;
            Some((*at, *sum))
        })),
        calendar => series.with(inputs.grid().times(series.period_s).map(|at| (at, part_of_time(calendar, at)))),
    }
}

/// MINUTE 0–59, HOUR 0–23, DAY 1 (Monday) – 7, DATE 1–31, MONTH 1–12, YEAR, EPOCH in seconds; all UTC.
fn part_of_time(name: &str, at_s: i64) -> f64 {
    let moment = moment::utc(at_s.saturating_mul(1000));
    match name {
        "MINUTE" => f64::from(moment.minute()),
        "HOUR" => f64::from(moment.hour()),
        "DAY" => f64::from(moment.weekday().number_from_monday()),
        "DATE" => f64::from(moment.day()),
        "MONTH" => f64::from(u8::from(moment.month())),
        "YEAR" => f64::from(moment.year()),
        #[allow(clippy::cast_precision_loss, reason = "seconds of this era")]
        _ => at_s as f64,
    }
}

fn array(name: &str, mut many: Vec<TimeSeries>, arguments: &[Node], position: usize, inputs: &dyn Inputs) -> Evaluated {
    let wrong = |what: &str| MathError::at(position, format!("{name} {what}"));
    let index = |at: usize| match arguments.get(at).map(|node| evaluate(node, inputs)).transpose()? {
        None => Ok(None),
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float saturates; checked to be positive"
        )]
        Some(Operand::Scalar(number)) if number >= 0.0 => Ok(Some(number as usize)),
        Some(_) => Err(wrong("takes a scalar that is not negative here")),
    };
    let word = |at: usize| match arguments.get(at).map(|node| &node.kind) {
        Some(Kind::Word(word)) => word.as_str(),
        _ => "",
    };
    match name {
        #[allow(clippy::cast_precision_loss, reason = "at most 500 metrics")]
        "METRIC_COUNT" => return Ok(Operand::Scalar(many.len() as f64)),
        "FIRST" | "LAST" => {
            let one = if name == "FIRST" { many.into_iter().next() } else { many.pop() };
            return Ok(Operand::Series(one.unwrap_or_default()));
        }
        "REMOVE_EMPTY" => many.retain(|series| !series.points.is_empty()),
        "SLICE" => {
            let start = index(1)?.unwrap_or_default().min(many.len());
            let end = index(2)?.unwrap_or(many.len()).clamp(start, many.len());
            many = many.drain(start..end).collect();
        }
        _ => {
            let by = word(1);
            if !["AVG", "MIN", "MAX", "SUM"].contains(&by) {
                return Err(wrong("sorts by AVG, MIN, MAX or SUM"));
            }
            many.sort_by(|left, right| {
                let [left, right] = [left, right].map(|series| reduce(by, series.points.values().copied(), None));
                left.total_cmp(&right)
            });
            match word(2) {
                "ASC" => {}
                "DESC" => many.reverse(),
                _ => return Err(wrong("orders by ASC or DESC")),
            }
            many.truncate(index(3)?.unwrap_or(many.len()));
        }
    }
    Ok(Operand::Many(many))
}

/// `IF(condition, yes, no)` ("Using IF expressions"): a missing `yes` is 0, a missing `no` drops the datapoint.
fn choose(condition: Operand, yes: Operand, no: Option<Operand>, position: usize) -> Evaluated {
    let at = |operand: &Operand, time: i64| match operand {
        Operand::Scalar(number) => Some(*number),
        Operand::Series(series) => series.points.get(&time).copied(),
        Operand::Many(_) => None,
    };
    let is_array = |operand: &Operand| matches!(operand, Operand::Many(_));
    if is_array(&condition) || is_array(&yes) || no.as_ref().is_some_and(is_array) {
        return Err(MathError::at(position, "IF takes scalars and single time series"));
    }
    match condition {
        Operand::Series(condition) => {
            Ok(Operand::Series(condition.with(condition.points.iter().filter_map(|(time, value)| {
                let chosen = if *value == 0.0 { at(no.as_ref()?, *time)? } else { at(&yes, *time).unwrap_or(0.0) };
                Some((*time, chosen))
            }))))
        }
        Operand::Scalar(number) if number != 0.0 => Ok(yes),
        Operand::Scalar(_) => match (no, yes) {
            (Some(no), _) => Ok(no),
            (None, Operand::Series(yes)) => Ok(Operand::Series(yes.with([]))),
            (None, _) => operator::apply(
                super::Operator::Add,
                Operand::Series(TimeSeries::default()),
                Operand::Scalar(0.0),
                position,
            ),
        },
        Operand::Many(_) => Err(MathError::at(position, "IF takes scalars and single time series")),
    }
}
