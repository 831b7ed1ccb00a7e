//! Queries against the store. Each is computed once however often expressions refer to it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use twin_platform::AwsError;

use super::{DataQuery, MetricStat, Source, expression_error};
use crate::{
    input::validation,
    math::{self, Grid, Inputs, Operand, TimeSeries},
    store::{Store, Window},
};

/// Levels of expressions that refer to expressions; each costs stack.
const MOST_LEVELS: usize = 50;

/// The time that is asked about, and how the periods of queries are to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// First second; datapoints are counted from here.
    pub(crate) start_s: i64,
    /// Exclusive.
    pub(crate) end_s: i64,
    /// For an alarm: every period is this many seconds of wall-clock data, whatever the queries say.
    pub(crate) window_s: Option<i64>,
}

/// The datapoints of every query of which they are to be returned, in the request's order.
pub(crate) fn run(
    queries: &[DataQuery],
    store: &Store,
    range: Range,
) -> Result<Vec<(String, Vec<TimeSeries>)>, AwsError> {
    let runner =
        Runner { queries, store, range, done: RefCell::default(), level: Cell::new(0), failure: RefCell::default() };
    let returned = queries.iter().filter(|query| query.return_data);
    returned
        .map(|query| {
            let series = match runner.operand(query)? {
                Operand::Series(series) => vec![series],
                Operand::Many(many) => many,
                Operand::Scalar(_) => {
                    let what = "the result is a scalar, not a time series at position 1";
                    return Err(validation(format!("Error in expression '{}': {what}", query.id)));
                }
            };
            Ok((query.id.clone(), series.into_iter().map(|series| labelled(query, series)).collect()))
        })
        .collect()
}

fn labelled(query: &DataQuery, series: TimeSeries) -> TimeSeries {
    let own = match &query.source {
        Source::Stat(stat) => &stat.metric.name,
        Source::Expression { .. } => &query.id,
    };
    let label = query.label.as_ref().map_or_else(|| own.clone(), |label| label.of(own, &query.source, &series.points));
    TimeSeries { label, ..series }
}

struct Runner<'a> {
    queries: &'a [DataQuery],
    store: &'a Store,
    range: Range,
    done: RefCell<HashMap<&'a str, Operand>>,
    level: Cell<usize>,
    /// An error inside of an expression that another expression refers to.
    failure: RefCell<Option<AwsError>>,
}

impl<'a> Runner<'a> {
    fn operand(&self, query: &'a DataQuery) -> Result<Operand, AwsError> {
        if let Some(done) = self.done.borrow().get(query.id.as_str()) {
            return Ok(done.clone());
        }
        let operand = match &query.source {
            Source::Stat(stat) => Operand::Series(self.stat(stat)),
            Source::Expression { root, .. } => {
                if self.level.get() >= MOST_LEVELS {
                    let what = format!(
                        "Error in expression '{}': expressions refer to each other in a circle at position 1",
                        query.id
                    );
                    return Err(validation(what));
                }
                self.level.set(self.level.get() + 1);
                let view = View { runner: self, period_s: query.period_s.unwrap_or_else(|| self.common_period()) };
                let result = math::evaluate(root, &view);
                self.level.set(self.level.get() - 1);
                match (result, self.failure.take()) {
                    (_, Some(failure)) => return Err(failure),
                    (Err(error), None) => return Err(expression_error(&query.id, &error)),
                    (Ok(operand), None) => operand,
                }
            }
        };
        self.done.borrow_mut().insert(&query.id, operand.clone());
        Ok(operand)
    }

    fn stat(&self, stat: &MetricStat) -> TimeSeries {
        let period_s = self.range.window_s.unwrap_or(stat.period_s);
        let window = Window {
            start_s: self.range.start_s.div_euclid(alignment(period_s)) * alignment(period_s),
            end_s: self.range.end_s,
            period_s,
            with_values: stat.statistic.needs_values(),
        };
        // An alarm's start is a multiple of its window already, whatever the window.
        let window =
            if self.range.window_s.is_some() { Window { start_s: self.range.start_s, ..window } } else { window };
        let pools = self.store.pools(&stat.metric, stat.unit, &window);
        let points = pools.into_iter().filter_map(|(at, mut pool)| Some((at, stat.statistic.of(&mut pool)?)));
        TimeSeries { label: stat.metric.name.clone(), period_s, points: points.collect() }
    }

    /// The longest period of the metrics in the request, for series that have none of their own.
    fn common_period(&self) -> i64 {
        let periods = self.queries.iter().filter_map(|query| match &query.source {
            Source::Stat(stat) => Some(stat.period_s),
            Source::Expression { .. } => query.period_s,
        });
        periods.max().unwrap_or(60)
    }
}

/// A start is rounded down to the minute, or to the period where that is shorter ("GetMetricData", `StartTime`).
pub(crate) fn alignment(period_s: i64) -> i64 {
    period_s.clamp(1, 60)
}

/// The request as an expression sees it.
struct View<'b, 'a> {
    runner: &'b Runner<'a>,
    period_s: i64,
}

impl Inputs for View<'_, '_> {
    fn get(&self, id: &str) -> Option<Operand> {
        let query = self.runner.queries.iter().find(|query| query.id == id)?;
        match self.runner.operand(query) {
            Ok(operand) => Some(operand),
            Err(failure) => {
                self.runner.failure.borrow_mut().get_or_insert(failure);
                Some(Operand::Scalar(f64::NAN))
            }
        }
    }

    fn metrics(&self) -> Vec<(String, TimeSeries)> {
        let metrics = self.runner.queries.iter().filter(|query| matches!(query.source, Source::Stat(_)));
        metrics
            .filter_map(|query| match self.get(&query.id)? {
                Operand::Series(series) => Some((query.id.clone(), series)),
                _ => None,
            })
            .collect()
    }

    fn grid(&self) -> Grid {
        let range = self.runner.range;
        let (start_s, period_s) = match range.window_s {
            Some(window_s) => (range.start_s, window_s),
            None => (range.start_s.div_euclid(alignment(self.period_s)) * alignment(self.period_s), self.period_s),
        };
        Grid { start_s, end_s: range.end_s, period_s }
    }
}
