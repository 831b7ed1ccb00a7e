//! PutMetricData: all of a request's values, or none. Limits are those of "PutMetricData" and "MetricDatum" (CloudWatch API
//! Reference).

use twin_platform::AwsError;

use super::{Answer, Context, nothing};
use crate::{
    data_query::read::{bounded, exclusive, read_dimensions, read_unit, refuse_unknown},
    input::{Fields, combination, invalid},
    store::{Bucket, Metric},
};

const MOST_METRICS: usize = 1000;
const MOST_VALUES: usize = 150;
const TWO_WEEKS_MS: i64 = 14 * 24 * 3600 * 1000;
const TWO_HOURS_MS: i64 = 2 * 3600 * 1000;

struct Item {
    metric: Metric,
    unit: &'static str,
    bucket: Bucket,
}

pub(super) fn put(context: &Context<'_>) -> Answer {
    let namespace = namespace(&context.input)?;
    let data = context.input.structures("MetricData")?;
    if data.is_empty() {
        return Err(AwsError::client("MissingParameter", "The parameter MetricData is required."));
    }
    if data.len() > MOST_METRICS {
        return Err(invalid(format!("The collection MetricData must not have a size greater than {MOST_METRICS}.")));
    }
    let items = data.iter().map(|datum| read(namespace, datum, context.now_ms)).collect::<Result<Vec<Item>, _>>()?;
    let now_s = context.now_ms.div_euclid(1000);
    let mut store = context.cloudwatch.store();
    for item in items {
        store.add(item.metric, item.unit, item.bucket, now_s);
    }
    store.sweep(now_s);
    nothing()
}

fn namespace<'a>(input: &Fields<'a>) -> Result<&'a str, AwsError> {
    let namespace = bounded(input, "Namespace", 255)?;
    if namespace.starts_with("AWS/") {
        return Err(invalid("The value AWS/ for parameter Namespace is invalid."));
    }
    if namespace.starts_with(':') || !plain(namespace) {
        return Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    Ok(namespace)
}

fn plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_control()) && !text.trim().is_empty()
}

fn read(namespace: &str, datum: &Fields<'_>, now_ms: i64) -> Result<Item, AwsError> {
    const KNOWN: [&str; 9] = [
        "MetricName",
        "Dimensions",
        "Timestamp",
        "Value",
        "StatisticValues",
        "Values",
        "Counts",
        "Unit",
        "StorageResolution",
    ];
    refuse_unknown(datum, &KNOWN)?;
    let name = bounded(datum, "MetricName", 255)?;
    if !plain(name) {
        return Err(invalid(format!("The value {name} for parameter {} is invalid.", datum.name("MetricName"))));
    }
    let resolution = datum.integer("StorageResolution")?.unwrap_or(60);
    if !matches!(resolution, 1 | 60) {
        let name = datum.name("StorageResolution");
        return Err(invalid(format!("The value {resolution} for parameter {name} is invalid: it must be 1 or 60.")));
    }
    let timestamp_ms = datum.moment("Timestamp")?.unwrap_or(now_ms);
    if timestamp_ms < now_ms - TWO_WEEKS_MS || timestamp_ms > now_ms + TWO_HOURS_MS {
        return Err(invalid(format!(
            "The parameter {} must specify a time no more than two weeks in the past \
             and no more than two hours in the future.",
            datum.name("Timestamp")
        )));
    }
    Ok(Item {
        metric: Metric::new(namespace, name, read_dimensions(datum)?),
        unit: read_unit(datum)?.unwrap_or("None"),
        bucket: values(datum, timestamp_ms.div_euclid(1000))?,
    })
}

/// The one of Value, StatisticValues and Values that is given.
fn values(datum: &Fields<'_>, second: i64) -> Result<Bucket, AwsError> {
    for (one, other) in [("Value", "StatisticValues"), ("Value", "Values"), ("StatisticValues", "Values")] {
        exclusive(datum, one, other)?;
    }
    if let Some(value) = datum.number("Value")? {
        let mut bucket = Bucket::at(second);
        bucket.add(checked(datum, "Value", value)?, 1.0);
        return Ok(bucket);
    }
    if let Some(set) = datum.structure("StatisticValues")? {
        return statistic_set(&set, second);
    }
    let values = datum.numbers("Values")?;
    if values.is_empty() {
        return Err(AwsError::client(
            "MissingParameter",
            format!(
                "At least one of the parameters must be specified: {}Value, StatisticValues or Values.",
                datum.name("")
            ),
        ));
    }
    let counts = datum.numbers("Counts")?;
    if values.len() > MOST_VALUES {
        let name = datum.name("Values");
        return Err(invalid(format!("The collection {name} must not have a size greater than {MOST_VALUES}.")));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        return Err(combination(format!(
            "The parameters {} and {} must have the same number of elements.",
            datum.name("Values"),
            datum.name("Counts")
        )));
    }
    let mut bucket = Bucket::at(second);
    for (index, value) in values.into_iter().enumerate() {
        let count = counts.get(index).copied().unwrap_or(1.0);
        let value = checked(datum, &format!("Values.member.{}", index + 1), value)?;
        let name = format!("Counts.member.{}", index + 1);
        if checked(datum, &name, count)? < 0.0 {
            return Err(invalid(format!("The value {count:?} for parameter {} is invalid.", datum.name(&name))));
        }
        // A value that never came says nothing, not even about the least and the greatest.
        if count > 0.0 {
            bucket.add(value, count);
        }
    }
    Ok(bucket)
}

fn statistic_set(set: &Fields<'_>, second: i64) -> Result<Bucket, AwsError> {
    refuse_unknown(set, &["SampleCount", "Sum", "Minimum", "Maximum"])?;
    let read = |member: &str| {
        let number = set.number(member)?;
        let missing =
            || AwsError::client("MissingParameter", format!("The parameter {} is required.", set.name(member)));
        checked(set, member, number.ok_or_else(missing)?)
    };
    let [count, sum, minimum, maximum] = [read("SampleCount")?, read("Sum")?, read("Minimum")?, read("Maximum")?];
    if count < 0.0 {
        return Err(invalid(format!("The value {count:?} for parameter {} is invalid.", set.name("SampleCount"))));
    }
    if minimum > maximum {
        let path = set.path();
        return Err(invalid(format!("The parameter {path}.Maximum must be greater than {path}.Minimum.")));
    }
    Ok(Bucket::of_set(second, count, sum, minimum, maximum))
}

/// Within ±2³⁶⁰, and neither NaN nor infinite.
fn checked(fields: &Fields<'_>, member: &str, value: f64) -> Result<f64, AwsError> {
    if value.is_finite() && value.abs() <= 2_f64.powi(360) {
        return Ok(value);
    }
    let shown = if value.is_nan() { "NaN".to_owned() } else { format!("{value:?}").replace("inf", "Infinity") };
    Err(invalid(format!("The value {shown} for parameter {} is invalid.", fields.name(member))))
}
