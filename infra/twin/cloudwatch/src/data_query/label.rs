//! Labels with live values in them ("Use dynamic labels", CloudWatch user guide).
//!
//! Promises: `${MAX}` and the like are the values of the answer's time range, `${PROP('…')}` what the metric is. Refuses by name the
//! values that are times, accounts and regions, and whatever else stands in `${…}`. A value that a series does not have –
//! the largest of no points, the dimension of an expression – is `--`, which the guide leaves open.

use std::collections::BTreeMap;

use twin_platform::AwsError;

use super::Source;

/// A label as it was written, and in parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Label {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Plain(String),
    Own,
    Count,
    Number(Number),
    Property(Property),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Average,
    First,
    FirstToLast,
    Last,
    Largest,
    Smallest,
    SmallestToLargest,
    Sum,
}

#[derive(Clone, Debug, PartialEq)]
enum Property {
    MetricName,
    Namespace,
    Period,
    Stat,
    Dimension(String),
}

impl Label {
    pub(crate) fn read(text: &str) -> Result<Self, AwsError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once("${") {
            let (value, after) = after.split_once('}').ok_or_else(|| unimitated(after))?;
            parts.extend([Part::Plain(plain.to_owned()), Part::read(value.trim()).ok_or_else(|| unimitated(value))?]);
            rest = after;
        }
        parts.push(Part::Plain(rest.to_owned()));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// With the values of a series whose own label would be `own`.
    pub(crate) fn of(&self, own: &str, source: &Source, points: &BTreeMap<i64, f64>) -> String {
        self.parts.iter().map(|part| part.of(own, source, points).unwrap_or_else(|| "--".to_owned())).collect()
    }
}

fn unimitated(value: &str) -> AwsError {
    AwsError::not_implemented("monitoring", &format!("a dynamic label with ${{{value}}}"))
}

impl Part {
    fn read(value: &str) -> Option<Self> {
        if let Some(property) = value.strip_prefix("PROP(").and_then(|rest| rest.strip_suffix(')')) {
            let name = property.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            return Some(Self::Property(match name {
                "MetricName" => Property::MetricName,
                "Namespace" => Property::Namespace,
                "Period" => Property::Period,
                "Stat" => Property::Stat,
                _ => Property::Dimension(name.strip_prefix("Dim.")?.to_owned()),
            }));
        }
        Some(match value {
            "LABEL" => Self::Own,
            "DATAPOINT_COUNT" => Self::Count,
            "AVG" => Self::Number(Number::Average),
            "FIRST" => Self::Number(Number::First),
            "FIRST_LAST_RANGE" => Self::Number(Number::FirstToLast),
            "LAST" => Self::Number(Number::Last),
            "MAX" => Self::Number(Number::Largest),
            "MIN" => Self::Number(Number::Smallest),
            "MIN_MAX_RANGE" => Self::Number(Number::SmallestToLargest),
            "SUM" => Self::Number(Number::Sum),
            _ => return None,
        })
    }

    fn of(&self, own: &str, source: &Source, points: &BTreeMap<i64, f64>) -> Option<String> {
        let property = match self {
            Self::Plain(text) => return Some(text.clone()),
            Self::Own => return Some(own.to_owned()),
            Self::Count => return Some(points.len().to_string()),
            Self::Number(number) => return number.of(points).map(|value| value.to_string()),
            Self::Property(property) => property,
        };
        let Source::Stat(stat) = source else { return None };
        match property {
            Property::MetricName => Some(stat.metric.name.clone()),
            Property::Namespace => Some(stat.metric.namespace.clone()),
            Property::Period => Some(stat.period_s.to_string()),
            Property::Stat => Some(stat.stat.clone()),
            Property::Dimension(name) => {
                stat.metric.dimensions.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            }
        }
    }
}

impl Number {
    #[allow(clippy::cast_precision_loss, reason = "no answer has 2^53 datapoints")]
    fn of(self, points: &BTreeMap<i64, f64>) -> Option<f64> {
        let (first, last) = (*points.values().next()?, *points.values().next_back()?);
        let largest = points.values().copied().fold(first, f64::max);
        let smallest = points.values().copied().fold(first, f64::min);
        let sum: f64 = points.values().sum();
        Some(match self {
            Self::Average => sum / points.len() as f64,
            Self::First => first,
            Self::FirstToLast => last - first,
            Self::Last => last,
            Self::Largest => largest,
            Self::Smallest => smallest,
            Self::SmallestToLargest => largest - smallest,
            Self::Sum => sum,
        })
    }
}
