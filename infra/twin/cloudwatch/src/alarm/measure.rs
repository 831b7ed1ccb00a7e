//! The datapoints of a metric alarm, and its state from them.
//!
//! Time: `--speed N` divides an alarm's waiting, and with it the data that one datapoint stands for. A period of 60 s is a
//! window of 60/N seconds of wall-clock data, whole seconds and at least one, and the alarm is looked at once each window.
//! Timestamps, and the periods of GetMetricData and GetMetricStatistics, are the wall clock's. So a threshold on a sum is
//! compared with a shorter sum, and one on a rate, an average or a percentile with the same number as in AWS.

use twin_platform::{AwsError, Speed};

use super::{MetricAlarm, State, Watched, judge, reason, reason::Point};
use crate::{
    data_query::{self, Range},
    store::{Store, Window},
};

/// What an evaluation found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// None: the state stays as it is.
    pub(crate) state: Option<State>,
    pub(crate) reason: String,
    pub(crate) reason_data: Option<String>,
}

/// Seconds of wall-clock data in one datapoint.
pub(crate) fn window_s(period_s: i64, speed: Speed) -> i64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a period is at most a week")]
    let window = (period_s as f64 / speed.factor()).round() as i64;
    window.max(1)
}

/// Evaluates the alarm by the windows that are over at `now_ms`.
pub(crate) fn evaluate(alarm: &MetricAlarm, store: &Store, speed: Speed, now_ms: i64) -> Finding {
    let window_s = window_s(alarm.period_s, speed);
    let count = alarm.evaluation_periods + judge::EXTRA_PERIODS;
    let end_s = now_ms.div_euclid(1000).div_euclid(window_s) * window_s;
    let windows = i64::try_from(count).unwrap_or(i64::MAX);
    let start_s = end_s.saturating_sub(windows.saturating_mul(window_s));
    match points(alarm, store, Range { start_s, end_s, window_s: Some(window_s) }) {
        Ok(points) => found(alarm, &points, (start_s, window_s, count), now_ms),
        Err(error) => Finding {
            state: Some(State::InsufficientData),
            reason: reason::truncated(format!("Unable to evaluate: {}", error.message), 1023),
            reason_data: None,
        },
    }
}

fn found(alarm: &MetricAlarm, points: &[Point], (start_s, window_s, count): (i64, i64, usize), now_ms: i64) -> Finding {
    let mut range = vec![None; count];
    for point in points {
        let index = usize::try_from((point.at_ms / 1000 - start_s).div_euclid(window_s)).unwrap_or(usize::MAX);
        if let Some(slot) = range.get_mut(index) {
            *slot = Some(point.breaches);
        }
    }
    let verdict = judge::judge(
        &range,
        alarm.evaluation_periods,
        alarm.needed(),
        alarm.missing.unwrap_or(super::Missing::Unknown),
    );
    let real = &points[points.len().saturating_sub(verdict.judged.len())..];
    let state = verdict.state.filter(|_| !too_few_samples(alarm, real));
    Finding {
        state,
        reason: state.map(|state| reason::text(alarm, state, real, &verdict)).unwrap_or_default(),
        reason_data: Some(reason::data(alarm, points, start_s * 1000, now_ms)),
    }
}

/// With `EvaluateLowSampleCountPercentile` = `ignore`, a percentile of few samples changes nothing. No datapoints at all are
/// not few samples but missing data.
fn too_few_samples(alarm: &MetricAlarm, points: &[Point]) -> bool {
    let Watched::One { statistic, .. } = &alarm.watched else { return false };
    let significant = statistic.significant_samples().filter(|_| alarm.ignore_low_samples == Some(true));
    let samples: f64 = points.iter().filter_map(|point| point.samples).sum();
    !points.is_empty() && significant.is_some_and(|significant| samples < significant)
}

/// The datapoints that exist, oldest first.
fn points(alarm: &MetricAlarm, store: &Store, range: Range) -> Result<Vec<Point>, AwsError> {
    let point = |at_s: i64, value: f64, samples: Option<f64>| Point {
        at_ms: at_s * 1000,
        value,
        samples,
        breaches: alarm.comparison.breaches(value, alarm.threshold),
    };
    match &alarm.watched {
        Watched::One { metric, statistic, unit, .. } => {
            let window = Window {
                start_s: range.start_s,
                end_s: range.end_s,
                period_s: range.window_s.unwrap_or(1),
                with_values: statistic.needs_values(),
            };
            let pools = store.pools(metric, *unit, &window);
            let point = |(at, mut pool)| Some(point(at, statistic.of(&mut pool)?, Some(pool.count)));
            Ok(pools.into_iter().filter_map(point).collect())
        }
        Watched::Math(queries) => {
            let results = data_query::run(queries, store, range)?;
            let series = results.into_iter().flat_map(|(_, series)| series).collect::<Vec<_>>();
            let [one] = series.as_slice() else {
                let what = format!("the expression returned {} time series, and an alarm watches one", series.len());
                return Err(AwsError::client("ValidationError", what));
            };
            Ok(one.points.iter().map(|(at, value)| point(*at, *value, None)).collect())
        }
    }
}
