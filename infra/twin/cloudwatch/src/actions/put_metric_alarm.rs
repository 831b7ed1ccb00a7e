//! PutMetricAlarm: its rules are those of "PutMetricAlarm" (CloudWatch API Reference).

use twin_platform::AwsError;

use super::{Answer, Context, alarm_write, nothing};
use crate::{
    alarm::{Comparison, Kind, MetricAlarm, Missing, Watched},
    data_query::{
        self, DataQuery, Source,
        read::{read_metric, read_unit},
    },
    input::{Fields, both, combination, none_of, validation, violated},
    statistic::Statistic,
};

/// Metrics of a metric-math alarm ("Alarms on math expressions").
const MOST_METRICS: usize = 10;

pub(super) fn put(context: &Context<'_>) -> Answer {
    let alarm = read(context)?;
    alarm_write::put(context, Kind::Metric(Box::new(alarm)))?;
    nothing()
}

fn read(context: &Context<'_>) -> Result<MetricAlarm, AwsError> {
    let input = &context.input;
    let (watched, period_s) = match (input.has("MetricName"), input.has("Metrics")) {
        (true, false) => one(input)?,
        (false, true) => math(input, &context.cloudwatch.account.id)?,
        (true, true) => {
            return Err(both("MetricName", "Metrics"));
        }
        (false, false) => {
            return Err(validation("At least one of the parameters MetricName and Metrics must be specified."));
        }
    };
    let periods = count(input, "EvaluationPeriods")?.ok_or_else(|| required("evaluationPeriods"))?;
    let needed = count(input, "DatapointsToAlarm")?;
    if needed.is_some_and(|needed| needed > periods) {
        return Err(validation(format!(
            "DatapointsToAlarm must not be greater than EvaluationPeriods, which is {periods}."
        )));
    }
    let seconds = period_s.saturating_mul(i64::try_from(periods).unwrap_or(i64::MAX));
    let most = if period_s >= 3600 { 604_800 } else { 86_400 };
    if seconds > most {
        return Err(validation(format!(
            "Metrics cannot be checked across more than {} (EvaluationPeriods * Period must be <= {most}).",
            if most == 86_400 { "a day" } else { "seven days" }
        )));
    }
    let threshold = input.number("Threshold")?.ok_or_else(|| required("threshold"))?;
    if !threshold.is_finite() {
        return Err(validation(format!(
            "The threshold {threshold} is not a number that a value can be compared with."
        )));
    }
    Ok(MetricAlarm {
        watched,
        period_s,
        evaluation_periods: periods,
        datapoints_to_alarm: needed,
        threshold,
        comparison: comparison(input)?,
        missing: input.text("TreatMissingData")?.map(missing).transpose()?,
        ignore_low_samples: low_samples(input)?,
    })
}

fn required(member: &str) -> AwsError {
    violated(member, "null", "not be null")
}

fn one(input: &Fields<'_>) -> Result<(Watched, i64), AwsError> {
    let metric = read_metric(input, "MetricName")?;
    let (stat, statistic) = match (input.text("Statistic")?, input.text("ExtendedStatistic")?) {
        (Some(name), None) => {
            let allowed = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
            (name, Statistic::plain(name).ok_or_else(|| none_of("statistic", name, &allowed))?)
        }
        (None, Some(name)) => {
            let unknown = || validation(format!("The value {name} for parameter ExtendedStatistic is not supported."));
            (name, Statistic::extended(name).ok_or_else(unknown)?)
        }
        (None, None) => {
            return Err(validation(
                "At least one of the parameters Statistic and ExtendedStatistic must be specified.",
            ));
        }
        _ => {
            return Err(both("Statistic", "ExtendedStatistic"));
        }
    };
    let period_s = input.integer("Period")?.ok_or_else(|| required("period"))?;
    let watched = Watched::One { metric, stat: stat.to_owned(), statistic, unit: read_unit(input)? };
    Ok((watched, alarm_period(period_s)?))
}

/// 10, 20, 30 or whole minutes.
fn alarm_period(period_s: i64) -> Result<i64, AwsError> {
    if matches!(period_s, 10 | 20 | 30) || (period_s > 0 && period_s % 60 == 0) {
        return Ok(period_s);
    }
    Err(validation(format!("The period {period_s} is invalid: it must be 10, 20, 30 or a multiple of 60.")))
}

fn math(input: &Fields<'_>, account: &str) -> Result<(Watched, i64), AwsError> {
    for other in ["Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic"] {
        if input.has(other) && !input.texts(other).is_ok_and(|texts| texts.is_empty()) {
            return Err(both("Metrics", other));
        }
    }
    let queries = data_query::read(input, "Metrics")?;
    let watched: Vec<&DataQuery> = queries.iter().filter(|query| query.return_data).collect();
    if watched.len() != 1 {
        return Err(validation("Exactly one element of the metrics list should return data."));
    }
    let other_account = |query: &&DataQuery| query.account.as_ref().is_some_and(|named| named != account);
    if let Some(query) = queries.iter().find(other_account) {
        return Err(AwsError::not_implemented(
            "monitoring",
            &format!("PutMetricAlarm with AccountId (query {})", query.id),
        ));
    }
    let mut periods = queries.iter().filter_map(|query| match &query.source {
        Source::Stat(stat) => Some(stat.period_s),
        Source::Expression { .. } => query.period_s,
    });
    let metrics = queries.iter().filter(|query| matches!(query.source, Source::Stat(_))).count();
    if metrics == 0 || metrics > MOST_METRICS {
        return Err(validation(format!(
            "The metrics list must have 1 to {MOST_METRICS} metrics, and it has {metrics}."
        )));
    }
    let first = periods.next().unwrap_or(60);
    if periods.any(|period_s| period_s != first) {
        return Err(validation("Period must be consistent across all metrics."));
    }
    let period_s = alarm_period(first)?;
    Ok((Watched::Math(queries), period_s))
}

fn count(input: &Fields<'_>, member: &str) -> Result<Option<usize>, AwsError> {
    let Some(count) = input.integer(member)? else { return Ok(None) };
    match usize::try_from(count) {
        Ok(count @ 1..=8640) => Ok(Some(count)),
        _ => {
            let lower = member[..1].to_ascii_lowercase() + &member[1..];
            Err(violated(&lower, &format!("'{count}'"), "have value greater than or equal to 1"))
        }
    }
}

fn comparison(input: &Fields<'_>) -> Result<Comparison, AwsError> {
    let name = input.text("ComparisonOperator")?.ok_or_else(|| required("comparisonOperator"))?;
    if ["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"]
        .contains(&name)
    {
        return Err(AwsError::not_implemented(
            "monitoring",
            &format!("PutMetricAlarm with {name} (anomaly detection)"),
        ));
    }
    let allowed =
        ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];
    Comparison::named(name).ok_or_else(|| none_of("comparisonOperator", name, &allowed))
}

fn missing(name: &str) -> Result<Missing, AwsError> {
    let found = Missing::ALL.into_iter().find(|missing| missing.name() == name);
    found.ok_or_else(|| none_of("treatMissingData", name, &Missing::ALL.map(Missing::name)))
}

fn low_samples(input: &Fields<'_>) -> Result<Option<bool>, AwsError> {
    match input.text("EvaluateLowSampleCountPercentile")? {
        None => Ok(None),
        Some(_) if !input.text("ExtendedStatistic")?.is_some_and(|name| name.starts_with('p')) => Err(combination(
            "The parameter EvaluateLowSampleCountPercentile can only be used with a percentile in ExtendedStatistic.",
        )),
        Some("evaluate") => Ok(Some(false)),
        Some("ignore") => Ok(Some(true)),
        Some(other) => Err(none_of("evaluateLowSampleCountPercentile", other, &["evaluate", "ignore"])),
    }
}
