//! An alarm as `DescribeAlarms` returns it, and as the JSON inside of its history has it.

use serde_json::{Map, Value as Json};

use super::{Alarm, Kind, MetricAlarm, Watched};
use crate::{
    data_query::{DataQuery, dimensions_value},
    statistic::Statistic,
    wire::{Value, moment},
};

impl Alarm {
    /// Whether it is a composite alarm.
    pub(crate) fn is_composite(&self) -> bool {
        matches!(self.kind, Kind::Composite { .. })
    }

    /// `MetricAlarm` or `CompositeAlarm`.
    pub(crate) fn type_name(&self) -> &'static str {
        if self.is_composite() { "CompositeAlarm" } else { "MetricAlarm" }
    }

    /// The whole alarm.
    pub(crate) fn to_value(&self) -> Value {
        let mut members = vec![
            ("AlarmName", (&self.name).into()),
            ("AlarmArn", (&self.arn).into()),
            ("AlarmDescription", self.description.as_ref().into()),
            ("AlarmConfigurationUpdatedTimestamp", Value::Moment(self.configured_ms)),
            ("ActionsEnabled", self.actions_enabled.into()),
            ("OKActions", Value::list(&self.actions.ok)),
            ("AlarmActions", Value::list(&self.actions.alarm)),
            ("InsufficientDataActions", Value::list(&self.actions.insufficient_data)),
            ("StateValue", self.status.state.name().into()),
            ("StateReason", (&self.status.reason).into()),
            ("StateReasonData", self.status.reason_data.as_ref().into()),
            ("StateUpdatedTimestamp", Value::Moment(self.status.updated_ms)),
            ("StateTransitionedTimestamp", Value::Moment(self.status.transitioned_ms)),
        ];
        match &self.kind {
            Kind::Composite { text, .. } => members.push(("AlarmRule", text.into())),
            Kind::Metric(alarm) => alarm.describe(&mut members),
        }
        let present = members.into_iter().filter(|(_, value)| *value != Value::Null);
        Value::Map(present.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The alarm inside of `HistoryData`.
    pub(crate) fn to_json(&self) -> Json {
        json(&self.to_value())
    }
}

impl MetricAlarm {
    fn describe(&self, members: &mut Vec<(&'static str, Value)>) {
        let count = |count: usize| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        match &self.watched {
            Watched::One { metric, stat, statistic, unit } => {
                let plain = Statistic::plain(stat).as_ref() == Some(statistic);
                members.extend([
                    ("MetricName", (&metric.name).into()),
                    ("Namespace", (&metric.namespace).into()),
                    (if plain { "Statistic" } else { "ExtendedStatistic" }, stat.into()),
                    ("Dimensions", dimensions_value(metric)),
                    ("Period", self.period_s.into()),
                    ("Unit", (*unit).into()),
                ]);
            }
            Watched::Math(queries) => {
                members.extend([
                    ("Dimensions", Value::List(Vec::new())),
                    ("Metrics", Value::List(queries.iter().map(DataQuery::to_value).collect())),
                ]);
            }
        }
        let low_samples = self.ignore_low_samples.map(|ignore| if ignore { "ignore" } else { "evaluate" });
        members.extend([
            ("EvaluationPeriods", count(self.evaluation_periods)),
            ("DatapointsToAlarm", self.datapoints_to_alarm.map_or(Value::Null, count)),
            ("Threshold", self.threshold.into()),
            ("ComparisonOperator", self.comparison.name().into()),
            ("TreatMissingData", self.missing.map(super::Missing::name).into()),
            ("EvaluateLowSampleCountPercentile", low_samples.into()),
        ]);
    }
}

/// Names begin in lower case there; `OKActions` is wholly so.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::from(*flag),
        Value::Integer(integer) => Json::from(*integer),
        Value::Number(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Moment(epoch_ms) => Json::from(moment::offset(*epoch_ms)),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(members) | Value::Dictionary(members) => {
            Json::Object(members.iter().map(|(name, member)| (lower(name), json(member))).collect::<Map<_, _>>())
        }
    }
}

fn lower(name: &str) -> String {
    if name == "OKActions" {
        return "okactions".to_owned();
    }
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}
