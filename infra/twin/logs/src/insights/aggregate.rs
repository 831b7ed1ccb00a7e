//! The functions of `stats` ("stats" in the user guide). Rows with a missing value are left out, but for `count(*)`.
//!
//! Percentiles are nearest-rank: a value that came, at least as large as so many percent of them. `stddev` is of a sample.
//! `avg`, `stddev` and `sum` are rounded to four decimals, so that 0.1 + 0.2 is 0.3.

use std::{cmp::Ordering, collections::HashSet, ops::RangeInclusive};

use super::{
    expression::{Expression, Scope},
    value::Value,
};

#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) function: Function,
    /// None for `count(*)`.
    pub(super) of: Option<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Avg,
    Count,
    CountDistinct,
    Earliest,
    Latest,
    Max,
    Min,
    Percentile(f64),
    SortsFirst,
    SortsLast,
    StdDev,
    Sum,
}

impl Function {
    /// The function with that name in any case, and how many arguments it takes. `pct`'s percentage is read later.
    pub(super) fn find(name: &str) -> Option<(Self, RangeInclusive<usize>)> {
        Some(match name.to_ascii_lowercase().as_str() {
            "avg" => (Self::Avg, 1..=1),
            "count" => (Self::Count, 0..=1),
            "count_distinct" => (Self::CountDistinct, 1..=1),
            "earliest" => (Self::Earliest, 1..=1),
            "latest" => (Self::Latest, 1..=1),
            "max" => (Self::Max, 1..=1),
            "median" => (Self::Percentile(50.0), 1..=1),
            "min" => (Self::Min, 1..=1),
            "pct" | "percentile" => (Self::Percentile(f64::NAN), 2..=2),
            "sortsfirst" => (Self::SortsFirst, 1..=1),
            "sortslast" => (Self::SortsLast, 1..=1),
            "stddev" => (Self::StdDev, 1..=1),
            "sum" => (Self::Sum, 1..=1),
            _ => return None,
        })
    }
}

/// What an aggregation has gathered of one group.
#[derive(Clone, Debug)]
pub(super) enum State {
    Count(u64),
    Distinct(HashSet<String>),
    Numbers(Vec<f64>),
    Sum {
        total: f64,
        count: u64,
    },
    /// Welford's running mean and sum of squared distances.
    Spread {
        count: u64,
        mean: f64,
        squares: f64,
    },
    Best(Value),
    /// The value of the row with the first or last time.
    Timed(Option<(i64, Value)>),
}

impl Aggregate {
    pub(super) fn start(&self) -> State {
        match self.function {
            Function::Count => State::Count(0),
            Function::CountDistinct => State::Distinct(HashSet::new()),
            Function::Percentile(_) => State::Numbers(Vec::new()),
            Function::Avg | Function::Sum => State::Sum { total: 0.0, count: 0 },
            Function::StdDev => State::Spread { count: 0, mean: 0.0, squares: 0.0 },
            Function::Max | Function::Min | Function::SortsFirst | Function::SortsLast => State::Best(Value::Missing),
            Function::Earliest | Function::Latest => State::Timed(None),
        }
    }

    pub(super) fn add(&self, state: &mut State, scope: Scope<'_>, time_ms: i64) {
        let Some(of) = &self.of else {
            if let State::Count(count) = state {
                *count += 1;
            }
            return;
        };
        let value = of.value(scope);
        if value.is_missing() {
            return;
        }
        match state {
            State::Count(count) => *count += 1,
            State::Distinct(values) => {
                let text = value.written().unwrap_or_default();
                if !values.contains(&*text) {
                    values.insert(text.into_owned());
                }
            }
            State::Numbers(numbers) => numbers.extend(value.number()),
            State::Sum { total, count } => {
                if let Some(number) = value.number() {
                    *total += number;
                    *count += 1;
                }
            }
            State::Spread { count, mean, squares } => {
                if let Some(number) = value.number() {
                    *count += 1;
                    let distance = number - *mean;
                    *mean += distance / float(*count);
                    *squares += distance * (number - *mean);
                }
            }
            State::Best(best) => {
                let wanted = match self.function {
                    Function::Max | Function::SortsLast => Ordering::Greater,
                    _ => Ordering::Less,
                };
                if best.is_missing() || value.order(best) == wanted {
                    *best = value.into_owned();
                }
            }
            State::Timed(kept) => {
                let better = kept.as_ref().is_none_or(|(kept_ms, _)| match self.function {
                    Function::Earliest => time_ms <= *kept_ms,
                    _ => time_ms > *kept_ms,
                });
                if better {
                    *kept = Some((time_ms, value.into_owned()));
                }
            }
        }
    }

    pub(super) fn finish(&self, state: State) -> Value {
        match state {
            State::Count(count) => Value::Number(float(count)),
            State::Distinct(values) => Value::Number(float(values.len() as u64)),
            State::Numbers(numbers) => match self.function {
                Function::Percentile(percent) => percentile(numbers, percent),
                _ => Value::Missing,
            },
            State::Sum { count: 0, .. } | State::Spread { count: 0, .. } | State::Timed(None) => Value::Missing,
            State::Sum { total, count } => {
                rounded(if self.function == Function::Avg { total / float(count) } else { total })
            }
            State::Spread { count: 1, .. } => Value::Number(0.0),
            State::Spread { count, squares, .. } => rounded((squares / float(count - 1)).sqrt()),
            // A time comes back as milliseconds, which fromMillis() turns into a time again, as AWS does it.
            #[allow(clippy::cast_precision_loss, reason = "exact for the next 285 000 years")]
            State::Best(Value::Time(ms)) | State::Timed(Some((_, Value::Time(ms)))) => Value::Number(ms as f64),
            State::Best(value) | State::Timed(Some((_, value))) => value,
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count of what fits into memory")]
fn float(count: u64) -> f64 {
    count as f64
}

fn rounded(number: f64) -> Value {
    // Past this a float has no four decimals.
    Value::finite(if number.abs() < 1e11 { (number * 1e4).round() / 1e4 } else { number })
}

fn percentile(mut numbers: Vec<f64>, percent: f64) -> Value {
    let Some(last) = numbers.len().checked_sub(1) else { return Value::Missing };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "between 0 and a length"
    )]
    let rank = ((percent / 100.0 * numbers.len() as f64).ceil() as usize).saturating_sub(1).min(last);
    let (_, number, _) = numbers.select_nth_unstable_by(rank, f64::total_cmp);
    Value::Number(*number)
}
