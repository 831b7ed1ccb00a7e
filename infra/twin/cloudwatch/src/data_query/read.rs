//! Queries out of an action's input.

use std::collections::HashSet;

use twin_platform::{AwsError, seam::unit_named};

use super::{DataQuery, Label, MetricStat, Source, expression_error};
use crate::{
    input::{Fields, both, invalid, validation},
    math,
    statistic::Statistic,
    store::Metric,
};

/// Queries in one request ("GetMetricData", CloudWatch API Reference).
const MOST_QUERIES: usize = 500;
/// Dimensions of one metric.
const MOST_DIMENSIONS: usize = 30;

/// Reads the list of queries in `member`.
pub(crate) fn read(input: &Fields<'_>, member: &str) -> Result<Vec<DataQuery>, AwsError> {
    let queries = input.structures(member)?;
    if queries.is_empty() {
        return Err(validation(format!("The collection {} must not be empty.", input.name(member))));
    }
    if queries.len() > MOST_QUERIES {
        return Err(validation(format!(
            "The collection {} must not have a size greater than {MOST_QUERIES}.",
            input.name(member)
        )));
    }
    let queries: Vec<DataQuery> = queries.iter().map(query).collect::<Result<_, _>>()?;
    let mut ids = HashSet::new();
    if let Some(twice) = queries.iter().find(|query| !ids.insert(&query.id)) {
        return Err(validation(format!("The values for parameter id in {member} are not unique: '{}'.", twice.id)));
    }
    for query in &queries {
        let Source::Expression { root, .. } = &query.source else { continue };
        let mut unknown = None;
        root.ids(&mut |id, position| {
            if !ids.contains(&id.to_owned()) {
                unknown.get_or_insert((id.to_owned(), position));
            }
        });
        if let Some((id, position)) = unknown {
            let what = format!("Unknown id '{id}' at position {position}");
            return Err(validation(format!("Error in expression '{}': {what}", query.id)));
        }
    }
    Ok(queries)
}

fn query(fields: &Fields<'_>) -> Result<DataQuery, AwsError> {
    const KNOWN: [&str; 7] = ["Id", "MetricStat", "Expression", "Label", "ReturnData", "Period", "AccountId"];
    refuse_unknown(fields, &KNOWN)?;
    let id = fields.required_text("Id")?;
    let letters = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !letters || !id.starts_with(|c: char| c.is_ascii_lowercase()) || id.len() > 255 {
        return Err(validation(format!(
            "The value {id} for parameter {} is not matched. The valid characters are letters, numbers, \
             and underscore, and the first must be a lowercase letter.",
            fields.name("Id")
        )));
    }
    let label = fields.text("Label")?.map(Label::read).transpose()?;
    let period_s =
        fields.integer("Period")?.map(|period_s| checked_period(period_s, &fields.name("Period"))).transpose()?;
    let source = match (fields.structure("MetricStat")?, fields.text("Expression")?) {
        (Some(stat), None) => Source::Stat(metric_stat(&stat)?),
        (None, Some(text)) => {
            let root = math::parse(text).map_err(|error| expression_error(id, &error))?;
            Source::Expression { text: text.to_owned(), root }
        }
        _ => {
            return Err(validation(format!(
                "Exactly one of MetricStat and Expression must be given for the query {id}."
            )));
        }
    };
    Ok(DataQuery {
        id: id.to_owned(),
        label,
        return_data: fields.boolean("ReturnData")?.unwrap_or(true),
        period_s,
        account: fields.text("AccountId")?.map(str::to_owned),
        source,
    })
}

fn metric_stat(fields: &Fields<'_>) -> Result<MetricStat, AwsError> {
    refuse_unknown(fields, &["Metric", "Period", "Stat", "Unit"])?;
    let metric = fields.structure("Metric")?.ok_or_else(|| {
        AwsError::client("MissingParameter", format!("The parameter {} is required.", fields.name("Metric")))
    })?;
    let stat = fields.required_text("Stat")?;
    let statistic = Statistic::any(stat).ok_or_else(|| {
        validation(format!("The value {stat} for parameter {} is not supported.", fields.name("Stat")))
    })?;
    Ok(MetricStat {
        metric: read_metric(&metric, "MetricName")?,
        period_s: checked_period(fields.required_integer("Period")?, &fields.name("Period"))?,
        stat: stat.to_owned(),
        statistic,
        unit: read_unit(fields)?,
    })
}

/// A metric by `Namespace`, the member `name`, and `Dimensions`, within AWS's lengths.
pub(crate) fn read_metric(fields: &Fields<'_>, name: &str) -> Result<Metric, AwsError> {
    let namespace = bounded(fields, "Namespace", 255)?;
    let metric = bounded(fields, name, 255)?;
    Ok(Metric::new(namespace, metric, read_dimensions(fields)?))
}

/// A text of 1 to `most` characters.
pub(crate) fn bounded<'a>(fields: &Fields<'a>, member: &str, most: usize) -> Result<&'a str, AwsError> {
    let text = fields.required_text(member)?;
    if text.chars().count() > most {
        return Err(invalid(format!(
            "The parameter {} must be shorter than {} characters.",
            fields.name(member),
            most + 1
        )));
    }
    Ok(text)
}

/// `Dimensions`: at most 30, each with a name and a value, no name twice.
pub(crate) fn read_dimensions(fields: &Fields<'_>) -> Result<Vec<(String, String)>, AwsError> {
    let dimensions = fields.structures("Dimensions")?;
    if dimensions.len() > MOST_DIMENSIONS {
        let name = fields.name("Dimensions");
        return Err(invalid(format!("The collection {name} must not have a size greater than {MOST_DIMENSIONS}.")));
    }
    let mut read: Vec<(String, String)> = Vec::with_capacity(dimensions.len());
    for dimension in &dimensions {
        let name = bounded(dimension, "Name", 255)?;
        let value = bounded(dimension, "Value", 1024)?;
        for (member, text) in [("Name", name), ("Value", value)] {
            let plain = text.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
            if !plain || text.trim().is_empty() || (member == "Name" && text.starts_with(':')) {
                return Err(invalid(format!(
                    "The value '{text}' for parameter {} is invalid.",
                    dimension.name(member)
                )));
            }
        }
        if read.iter().any(|(known, _)| known == name) {
            return Err(invalid(format!("The dimension name {name} is given twice in {}.", fields.name("Dimensions"))));
        }
        read.push((name.to_owned(), value.to_owned()));
    }
    Ok(read)
}

/// `Unit`, if given.
pub(crate) fn read_unit(fields: &Fields<'_>) -> Result<Option<&'static str>, AwsError> {
    let unit = fields.text("Unit")?.map(|unit| {
        unit_named(unit)
            .ok_or_else(|| invalid(format!("The value {unit} for parameter {} is not a unit.", fields.name("Unit"))))
    });
    unit.transpose()
}

/// 1, 5, 10, 20, 30 or whole minutes, up to a day.
pub(crate) fn checked_period(period_s: i64, name: &str) -> Result<i64, AwsError> {
    let valid =
        matches!(period_s, 1 | 5 | 10 | 20 | 30) || (period_s > 0 && period_s % 60 == 0 && period_s <= 86_400 * 7);
    if valid {
        return Ok(period_s);
    }
    Err(invalid(format!(
        "The value {period_s} for parameter {name} is invalid: it must be 1, 5, 10, 20, 30 or a multiple of 60."
    )))
}

/// A member that is not imitated is refused by name.
pub(crate) fn refuse_unknown(fields: &Fields<'_>, known: &[&str]) -> Result<(), AwsError> {
    match fields.unknown(known) {
        Some(unknown) => {
            Err(AwsError::not_implemented("monitoring", &format!("the parameter {}", fields.name(unknown))))
        }
        None => Ok(()),
    }
}

/// Two members that exclude each other.
pub(crate) fn exclusive(fields: &Fields<'_>, one: &str, other: &str) -> Result<(), AwsError> {
    if fields.has(one) && fields.has(other) {
        return Err(both(&fields.name(one), &fields.name(other)));
    }
    Ok(())
}
