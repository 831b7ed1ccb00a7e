//! Metric math: expressions over time series.
//!
//! Source: "Using metric math" (Amazon CloudWatch User Guide). Promises: every error names the position in the expression,
//! counted in characters from 1; nothing panics; results hold finite numbers only (a division by zero drops its datapoint).
//! Refuses by name what needs more than the given metrics: SEARCH, ANOMALY_DETECTION_BAND, INSIGHT_RULE_METRIC,
//! SERVICE_QUOTA, DB_PERF_INSIGHTS, LAMBDA, and Metrics Insights queries (SELECT …).

mod evaluate;
mod fill;
mod function;
mod lexer;
mod operator;
mod parser;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(crate) use evaluate::{Inputs, evaluate};
pub(crate) use parser::parse;

/// Longest expression ("MetricDataQuery", CloudWatch API Reference).
pub(crate) const MOST_CHARACTERS: usize = 2048;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at position {position}")]
pub(crate) struct MathError {
    pub(crate) what: String,
    /// In characters, from 1.
    pub(crate) position: usize,
    /// Set for what AWS knows and the twin does not imitate.
    pub(crate) unimitated: Option<String>,
}

impl MathError {
    fn at(position: usize, what: impl Into<String>) -> Self {
        Self { what: what.into(), position, unimitated: None }
    }
}

/// A part of an expression and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) position: usize,
    pub(crate) kind: Kind,
}

/// The parts of expressions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Number(f64),
    /// The id of a metric or another expression.
    Id(String),
    /// A word in capitals that is no function's name: `REPEAT`, `DESC`, …
    Word(String),
    Text(String),
    Negation(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    List(Vec<Node>),
    Call(String, Vec<Node>),
}

/// Operators of two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// Values over time: by the first second of each datapoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TimeSeries {
    pub(crate) label: String,
    /// Seconds between datapoints.
    pub(crate) period_s: i64,
    pub(crate) points: BTreeMap<i64, f64>,
}

impl TimeSeries {
    /// The same times with other values; what is no finite number is dropped.
    fn mapped(&self, change: impl Fn(f64) -> f64) -> Self {
        self.with(self.points.iter().map(|(at, value)| (*at, change(*value))))
    }

    /// The same label and period with these points; what is no finite number is dropped.
    fn with(&self, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        let points = points.into_iter().filter(|(_, value)| value.is_finite()).collect();
        Self { label: self.label.clone(), period_s: self.period_s, points }
    }
}

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Scalar(f64),
    Series(TimeSeries),
    Many(Vec<TimeSeries>),
}

/// The datapoints that a query asks for, for the functions that make values where there were none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// First datapoint.
    pub(crate) start_s: i64,
    /// Exclusive.
    pub(crate) end_s: i64,
    /// For series that have no period of their own.
    pub(crate) period_s: i64,
}

/// Datapoints at most in one grid: what `GetMetricData` may return at once ("MaxDatapoints").
pub(crate) const MOST_DATAPOINTS: i64 = 100_800;

impl Grid {
    /// The times of all datapoints with this period, at most [`MOST_DATAPOINTS`].
    fn times(self, period_s: i64) -> impl Iterator<Item = i64> {
        let period_s = period_s.max(1);
        let count = ((self.end_s - self.start_s + period_s - 1) / period_s).clamp(0, MOST_DATAPOINTS);
        (0..count).map(move |index| self.start_s + index * period_s)
    }
}

impl Node {
    /// Calls `visit` with every id that the expression names.
    pub(crate) fn ids<'a>(&'a self, visit: &mut impl FnMut(&'a str, usize)) {
        match &self.kind {
            Kind::Id(id) => visit(id, self.position),
            Kind::Negation(inner) => inner.ids(visit),
            Kind::Binary(_, left, right) => {
                left.ids(visit);
                right.ids(visit);
            }
            Kind::List(items) | Kind::Call(_, items) => items.iter().for_each(|item| item.ids(visit)),
            Kind::Number(_) | Kind::Word(_) | Kind::Text(_) => {}
        }
    }
}
