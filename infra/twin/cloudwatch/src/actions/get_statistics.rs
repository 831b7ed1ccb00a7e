//! GetMetricStatistics: one metric's datapoints, those of each unit apart.

use twin_platform::AwsError;

use super::{Answer, Context};
use crate::{
    data_query::{
        read::{checked_period, read_metric, read_unit},
        run::alignment,
    },
    input::{both, combination, invalid},
    statistic::Statistic,
    store::Window,
    wire::Value,
};

/// Datapoints of one call ("GetMetricStatistics", CloudWatch API Reference).
const MOST_DATAPOINTS: i64 = 1440;

pub(super) fn get(context: &Context<'_>) -> Answer {
    let input = &context.input;
    let metric = read_metric(input, "MetricName")?;
    let period_s = checked_period(input.required_integer("Period")?, "Period")?;
    let (start_ms, end_ms) = (input.required_moment("StartTime")?, input.required_moment("EndTime")?);
    if start_ms >= end_ms {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let start_s = start_ms.div_euclid(1000).div_euclid(alignment(period_s)) * alignment(period_s);
    let end_s = end_ms.div_euclid(1000) + i64::from(end_ms.rem_euclid(1000) > 0);
    let datapoints = (end_s - start_s).div_euclid(period_s);
    if datapoints > MOST_DATAPOINTS {
        return Err(combination(format!(
            "You have requested up to {datapoints} datapoints, which exceeds the limit of {MOST_DATAPOINTS}. \
             You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let plain = named(&input.texts("Statistics")?, "Statistics", Statistic::plain)?;
    let extended = named(&input.texts("ExtendedStatistics")?, "ExtendedStatistics", Statistic::extended)?;
    if plain.is_empty() == extended.is_empty() {
        return Err(if plain.is_empty() {
            combination("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
        } else {
            both("Statistics", "ExtendedStatistics")
        });
    }
    let unit = read_unit(input)?;
    let window = Window { start_s, end_s, period_s, with_values: !extended.is_empty() };
    let store = context.cloudwatch.store();
    let mut points = Vec::new();
    for unit in store.units(&metric).into_iter().filter(|known| unit.is_none_or(|unit| unit == *known)) {
        for (at, mut pool) in store.pools(&metric, Some(unit), &window) {
            let mut members = vec![("Timestamp".to_owned(), Value::Moment(at * 1000))];
            for (name, statistic) in &plain {
                members.extend(statistic.of(&mut pool).map(|number| ((*name).to_owned(), number.into())));
            }
            let more = extended
                .iter()
                .filter_map(|(name, statistic)| Some(((*name).to_owned(), statistic.of(&mut pool)?.into())));
            let more: Vec<(String, Value)> = more.collect();
            if plain.is_empty() && more.is_empty() {
                continue;
            }
            if !more.is_empty() {
                members.push(("ExtendedStatistics".to_owned(), Value::Dictionary(more)));
            }
            members.push(("Unit".to_owned(), unit.into()));
            points.push(Value::Map(members));
        }
    }
    Ok(Value::map([("Label", (&metric.name).into()), ("Datapoints", Value::List(points))]))
}

fn named<'a>(
    names: &[&'a str],
    parameter: &str,
    parse: fn(&str) -> Option<Statistic>,
) -> Result<Vec<(&'a str, Statistic)>, AwsError> {
    let one = |(index, name): (usize, &&'a str)| {
        parse(name).map(|statistic| (*name, statistic)).ok_or_else(|| {
            invalid(format!("The value {name} for parameter {parameter}.member.{} is invalid.", index + 1))
        })
    };
    names.iter().enumerate().map(one).collect()
}
