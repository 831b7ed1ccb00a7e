//! `MetricDataQuery`: metrics and expressions over them, as `GetMetricData` and metric-math alarms have them.

mod label;
pub(crate) mod read;
pub(crate) mod run;

use twin_platform::AwsError;

use crate::{
    input::validation,
    math::{MathError, Node},
    statistic::Statistic,
    store::Metric,
    wire::Value,
};

pub(crate) use label::Label;
pub(crate) use read::read;
pub(crate) use run::{Range, run};

/// One query of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DataQuery {
    pub(crate) id: String,
    pub(crate) label: Option<Label>,
    /// Whether its datapoints are returned; for an alarm, whether it is the one that is watched.
    pub(crate) return_data: bool,
    /// Seconds, where an expression says so itself.
    pub(crate) period_s: Option<i64>,
    pub(crate) account: Option<String>,
    pub(crate) source: Source,
}

/// Where a query's datapoints come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Stat(MetricStat),
    Expression { text: String, root: Node },
}

/// One statistic of one metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetricStat {
    pub(crate) metric: Metric,
    pub(crate) period_s: i64,
    /// As the caller wrote it.
    pub(crate) stat: String,
    pub(crate) statistic: Statistic,
    pub(crate) unit: Option<&'static str>,
}

impl DataQuery {
    /// The query as `DescribeAlarms` returns it.
    pub(crate) fn to_value(&self) -> Value {
        let (stat, expression) = match &self.source {
            Source::Stat(stat) => (Some(stat.to_value()), None),
            Source::Expression { text, .. } => (None, Some(text)),
        };
        Value::map([
            ("Id", (&self.id).into()),
            ("MetricStat", stat.into()),
            ("Expression", expression.into()),
            ("Label", self.label.as_ref().map(Label::text).into()),
            ("ReturnData", self.return_data.into()),
            ("Period", self.period_s.into()),
            ("AccountId", self.account.as_ref().into()),
        ])
    }
}

impl MetricStat {
    fn to_value(&self) -> Value {
        Value::map([
            ("Metric", metric_value(&self.metric)),
            ("Period", self.period_s.into()),
            ("Stat", (&self.stat).into()),
            ("Unit", self.unit.into()),
        ])
    }
}

/// A metric as the API returns it.
pub(crate) fn metric_value(metric: &Metric) -> Value {
    Value::map([
        ("Namespace", (&metric.namespace).into()),
        ("MetricName", (&metric.name).into()),
        ("Dimensions", dimensions_value(metric)),
    ])
}

/// A metric's dimensions as the API returns them.
pub(crate) fn dimensions_value(metric: &Metric) -> Value {
    let dimension = |(name, value): &(String, String)| Value::map([("Name", name.into()), ("Value", value.into())]);
    Value::List(metric.dimensions.iter().map(dimension).collect())
}

/// What is wrong with the expression of the query `id`.
fn expression_error(id: &str, error: &MathError) -> AwsError {
    match &error.unimitated {
        Some(what) => AwsError::not_implemented("monitoring", &format!("metric math with {what}")),
        None => validation(format!("Error in expression '{id}': {error}")),
    }
}
