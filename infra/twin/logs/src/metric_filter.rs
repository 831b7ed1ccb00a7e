//! Metric filters: what a group's lines become in CloudWatch ("Creating metrics from log events using filters" in the user
//! guide).
//!
//! Promises: each event that is ingested after the filter was made counts once, at the event's own time. The default value is
//! put for each minute (divided by the speed) in which lines came and none matched, at the minute's beginning.
//! A filter whose dimensions had [`MAX_COMBINATIONS`] values within an hour puts nothing more, as AWS disables it.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use twin_platform::seam::{Datum, MetricSink, unit_named};

use crate::pattern::{Field, Pattern};

/// "CloudWatch Logs might disable a metric filter if it generates 1,000 different name/value pairs for your specified
/// dimensions within one hour" (`PutMetricFilter`).
const MAX_COMBINATIONS: usize = 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// `MetricTransformation` in the API reference.
const MAX_DIMENSIONS: usize = 3;
const MAX_NAME: usize = 255;
const MAX_VALUE: usize = 100;

/// Where the data go, and how long the minute of a default value is.
pub(crate) struct Metrics {
    pub(crate) sink: Arc<dyn MetricSink>,
    pub(crate) minute_ms: i64,
}

/// `MetricTransformation` as the API has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transformation {
    pub(crate) metric_name: String,
    pub(crate) metric_namespace: String,
    metric_value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_value: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dimensions: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

/// One filter of one group.
pub(crate) struct MetricFilter {
    pub(crate) pattern: Pattern,
    pub(crate) written: String,
    pub(crate) transformation: Transformation,
    /// Milliseconds since the epoch.
    pub(crate) created_ms: i64,
    value: Source,
    dimensions: Vec<(String, Field)>,
    unit: &'static str,
    minute: Option<Minute>,
    combinations: HashSet<Vec<String>>,
    combinations_since_ms: i64,
    disabled: bool,
}

enum Source {
    Literal(f64),
    Field(Field),
}

/// A minute in which lines came.
struct Minute {
    start_ms: i64,
    matched: bool,
}

impl MetricFilter {
    /// A filter; the error is one line for a person.
    pub(crate) fn new(written: String, transformation: Transformation, now_ms: i64) -> Result<Self, String> {
        let pattern = Pattern::parse(&written).map_err(|error| error.to_string())?;
        let named = |what: &str, name: &str| {
            let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains([':', '*', '$']);
            if fits { Ok(()) } else { Err(format!("{what} has 1 to {MAX_NAME} characters without ':', '*' and '$'")) }
        };
        named("metricName", &transformation.metric_name)?;
        named("metricNamespace", &transformation.metric_namespace)?;
        // What CloudWatch keeps for the services' own metrics and takes from nobody's PutMetricData.
        if transformation.metric_namespace.starts_with("AWS/") {
            return Err("metricNamespace must not begin with 'AWS/', which is reserved for AWS".into());
        }
        if !transformation.dimensions.is_empty() && transformation.default_value.is_some() {
            return Err(
                "Invalid metric transformation: dimensions and default value are mutually exclusive properties.".into(),
            );
        }
        if transformation.dimensions.len() > MAX_DIMENSIONS {
            return Err(format!("a metric filter has at most {MAX_DIMENSIONS} dimensions"));
        }
        let text = &transformation.metric_value;
        if text.chars().count() > MAX_VALUE {
            return Err(format!("metricValue has at most {MAX_VALUE} characters"));
        }
        let field = |what: &str, text: &str| {
            pattern
                .field(text)
                .map_err(|error| format!("Invalid {what} '{text}': {} at position {}", error.message, error.position))
        };
        let value = match number(text) {
            Some(number) => Source::Literal(number),
            None if text.starts_with('$') => Source::Field(field("metricValue", text)?),
            None => return Err(format!("Invalid metricValue '{text}': a number, $.field or $field is expected")),
        };
        let dimensions = transformation
            .dimensions
            .iter()
            .map(|(name, text)| Ok((name.clone(), field("dimension", text)?)))
            .collect::<Result<_, String>>()?;
        let unit = transformation.unit.as_deref().unwrap_or("None");
        let unit = unit_named(unit).ok_or_else(|| format!("unit '{unit}' does not exist"))?;
        Ok(Self {
            pattern,
            written,
            created_ms: now_ms,
            value,
            dimensions,
            unit,
            transformation,
            minute: None,
            combinations: HashSet::new(),
            combinations_since_ms: now_ms,
            disabled: false,
        })
    }

    /// Takes one event; what it makes is added to the data.
    pub(crate) fn take(&mut self, line: &str, timestamp_ms: i64, now_ms: i64, minute_ms: i64, data: &mut Vec<Datum>) {
        self.settle(now_ms, minute_ms, data);
        let matched = self.pattern.matches(line);
        let start_ms = now_ms - now_ms.rem_euclid(minute_ms);
        self.minute.get_or_insert(Minute { start_ms, matched: false }).matched |= matched;
        if !matched || self.disabled {
            return;
        }
        let value = match &self.value {
            Source::Literal(value) => Some(*value),
            Source::Field(field) => self.pattern.extract(field, line).and_then(|text| number(&text)),
        };
        let values =
            self.dimensions.iter().map(|(_, field)| self.pattern.extract(field, line).filter(|it| !it.is_empty()));
        // An event without one of the dimensions, or whose value is no number, makes no metric.
        let (Some(value), Some(values)) = (value, values.collect::<Option<Vec<String>>>()) else { return };
        if !self.knows(&values, now_ms) {
            self.disabled = true;
            return;
        }
        let names = self.dimensions.iter().map(|(name, _)| name.clone().into());
        data.push(self.datum(names.zip(values).collect(), timestamp_ms, value));
    }

    /// Puts the default value when a minute is over in which lines came and none matched.
    pub(crate) fn settle(&mut self, now_ms: i64, minute_ms: i64, data: &mut Vec<Datum>) {
        let over = self.minute.take_if(|minute| !(0..minute_ms).contains(&(now_ms - minute.start_ms)));
        if let (Some(Minute { start_ms, matched: false }), Some(value)) = (over, self.transformation.default_value) {
            data.push(self.datum(Vec::new(), start_ms, value));
        }
    }

    fn datum(&self, dimensions: Vec<(std::borrow::Cow<'static, str>, String)>, timestamp_ms: i64, value: f64) -> Datum {
        Datum {
            namespace: self.transformation.metric_namespace.clone().into(),
            name: self.transformation.metric_name.clone().into(),
            dimensions,
            unit: self.unit,
            timestamp_ms,
            values: vec![(value, 1.0)],
        }
    }

    /// Whether there is room for these values of the dimensions.
    fn knows(&mut self, values: &[String], now_ms: i64) -> bool {
        if values.is_empty() || self.combinations.contains(values) {
            return true;
        }
        if now_ms - self.combinations_since_ms > HOUR_MS {
            self.combinations.clear();
            self.combinations_since_ms = now_ms;
        }
        self.combinations.len() < MAX_COMBINATIONS && self.combinations.insert(values.to_vec())
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn filter(pattern: &str, transformation: serde_json::Value) -> Result<MetricFilter, String> {
        let transformation = serde_json::from_value(transformation).expect("a transformation");
        MetricFilter::new(pattern.to_owned(), transformation, 0)
    }

    fn take(filter: &mut MetricFilter, line: &str, now_ms: i64) -> Vec<(Vec<String>, i64, f64)> {
        let mut data = Vec::new();
        filter.take(line, 5, now_ms, MINUTE_MS, &mut data);
        data.into_iter()
            .map(|datum| {
                let dimensions = datum.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
                (dimensions, datum.timestamp_ms, datum.values[0].0)
            })
            .collect()
    }

    #[test]
    fn values_and_dimensions_come_from_the_line() {
        let json = serde_json::json!({
            "metricName": "Latency", "metricNamespace": "Golden", "metricValue": "$.latencyMs", "unit": "Milliseconds",
            "dimensions": { "Path": "$.path" },
        });
        let mut json = filter("{ $.status >= 500 }", json).expect("a filter");
        assert_eq!(
            take(&mut json, r#"{"status":500,"path":"/db","latencyMs":12.5}"#, 0),
            [(vec!["Path=/db".to_owned()], 5, 12.5)]
        );
        assert_eq!(take(&mut json, r#"{"status":200,"path":"/db","latencyMs":1}"#, 0), []);
        assert_eq!(take(&mut json, r#"{"status":500,"latencyMs":1}"#, 0), [], "a dimension is missing");
        assert_eq!(take(&mut json, r#"{"status":500,"path":"/","latencyMs":"slow"}"#, 0), []);
        let fields = serde_json::json!({ "metricName": "n", "metricNamespace": "s", "metricValue": "$bytes" });
        let mut fields = filter("[..., status=5*, bytes]", fields).expect("a filter");
        assert_eq!(take(&mut fields, "GET /x 503 17", 0), [(vec![], 5, 17.0)]);
    }

    #[test]
    fn the_default_value_comes_once_for_a_minute_without_a_match() {
        let with_default = serde_json::json!({
            "metricName": "n", "metricNamespace": "s", "metricValue": "1", "defaultValue": 0.0,
        });
        let mut filter = filter("ERROR", with_default).expect("a filter");
        assert_eq!(take(&mut filter, "fine", MINUTE_MS), []);
        assert_eq!(take(&mut filter, "fine", MINUTE_MS + 9), []);
        assert_eq!(take(&mut filter, "ERROR", 2 * MINUTE_MS + 1), [(vec![], MINUTE_MS, 0.0), (vec![], 5, 1.0)]);
        let mut data = Vec::new();
        filter.settle(9 * MINUTE_MS, MINUTE_MS, &mut data);
        assert!(data.is_empty(), "the second minute had a match, the others no line: {data:?}");
    }

    #[test]
    fn too_many_dimensions_values_disable_the_filter() {
        let by_id = serde_json::json!({ "metricName": "n", "metricNamespace": "s", "metricValue": "1", "dimensions": { "Id": "$.id" } });
        let mut filter = filter("{ $.id = * }", by_id).expect("a filter");
        let put: usize = (0..1500).map(|id| take(&mut filter, &format!(r#"{{"id":"{id}"}}"#), 0).len()).sum();
        assert_eq!(put, MAX_COMBINATIONS);
        assert_eq!(take(&mut filter, r#"{"id":"1"}"#, 0), []);
    }

    #[test]
    fn what_makes_no_metric_is_refused() {
        let base = serde_json::json!({ "metricName": "n", "metricNamespace": "s", "metricValue": "1" });
        let refused = |pattern: &str, key: &str, value: serde_json::Value| {
            let mut transformation = base.clone();
            transformation[key] = value;
            filter(pattern, transformation).err().expect("a refusal")
        };
        assert!(refused("{ $.a = ", "metricValue", "1".into()).contains("at position 9"));
        assert!(refused("ERROR", "metricValue", "$.a".into()).contains("only a JSON"));
        assert!(refused("ERROR", "metricValue", "many".into()).contains("a number"));
        assert!(refused("ERROR", "metricValue", "inf".into()).contains("a number"));
        assert!(refused("[a, b]", "metricValue", "$c".into()).contains("no field 'c'"));
        assert!(refused("{ $.a = * }", "metricValue", "$.".into()).contains("at position 3"));
        assert!(refused("ERROR", "unit", "Parsecs".into()).contains("Parsecs"));
        assert!(refused("ERROR", "metricName", "a:b".into()).contains("metricName"));
        let four = serde_json::json!({ "a": "$.a", "b": "$.b", "c": "$.c", "d": "$.d" });
        assert!(refused("{ $.a = * }", "dimensions", four).contains("at most 3"));
    }
}
