//! The notification of a transition: what an alarm's action gets, and SNS passes on.
//!
//! The JSON is what subscribers of an SNS topic receive from CloudWatch; programs read it field by field.

use serde_json::{Value, json};
use twin_platform::{Account, seam::AlarmNotification};

use super::{Alarm, Kind, MetricAlarm, State, Watched};
use crate::{
    data_query::{DataQuery, Source},
    statistic::Statistic,
    store::Metric,
    wire::moment,
};

/// One action that is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) alarm: String,
    pub(crate) alarm_type: &'static str,
    pub(crate) action_arn: String,
    pub(crate) notification: AlarmNotification,
    pub(crate) transition_ms: i64,
    /// Again for a state that lasts, as Auto Scaling wants it.
    pub(crate) repeated: bool,
}

/// `ALARM: "name" in US East (N. Virginia)`.
pub(crate) fn subject(alarm: &Alarm, account: &Account) -> String {
    format!("{}: \"{}\" in {}", alarm.status.state.name(), alarm.name, region_name(&account.region))
}

/// The message about the state that the alarm has now. `children` are the alarms that a composite's state comes from.
pub(crate) fn message(alarm: &Alarm, old: State, account: &Account, children: &Value) -> String {
    let mut message = json!({
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account.id,
        "AlarmConfigurationUpdatedTimestamp": moment::offset(alarm.configured_ms),
        "NewStateValue": alarm.status.state.name(),
        "NewStateReason": alarm.status.reason,
        "StateChangeTime": moment::offset(alarm.status.transitioned_ms),
        "Region": region_name(&account.region),
        "AlarmArn": alarm.arn,
        "OldStateValue": old.name(),
        "OKActions": alarm.actions.ok,
        "AlarmActions": alarm.actions.alarm,
        "InsufficientDataActions": alarm.actions.insufficient_data,
    });
    match &alarm.kind {
        Kind::Metric(metric) => message["Trigger"] = trigger(metric),
        Kind::Composite { text, .. } => {
            message["AlarmRule"] = json!(text);
            message["TriggeringChildren"] = children.clone();
        }
    }
    message.to_string()
}

fn trigger(alarm: &MetricAlarm) -> Value {
    let low_samples = alarm.ignore_low_samples.map_or("", |ignore| if ignore { "ignore" } else { "evaluate" });
    let mut trigger = json!({
        "Period": alarm.period_s,
        "EvaluationPeriods": alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison.name(),
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.missing.map_or("missing", super::Missing::name),
        "EvaluateLowSampleCountPercentile": low_samples,
    });
    if let Some(needed) = alarm.datapoints_to_alarm {
        trigger["DatapointsToAlarm"] = json!(needed);
    }
    match &alarm.watched {
        Watched::One { metric, stat, statistic, unit } => {
            trigger["MetricName"] = json!(metric.name);
            trigger["Namespace"] = json!(metric.namespace);
            trigger["Dimensions"] = dimensions(metric);
            trigger["Unit"] = json!(unit);
            let upper = match statistic {
                Statistic::SampleCount => "SAMPLE_COUNT".to_owned(),
                _ => stat.to_ascii_uppercase(),
            };
            if Statistic::plain(stat).is_some() {
                trigger["StatisticType"] = json!("Statistic");
                trigger["Statistic"] = json!(upper);
            } else {
                trigger["StatisticType"] = json!("ExtendedStatistic");
                trigger["ExtendedStatistic"] = json!(stat);
            }
        }
        Watched::Math(queries) => trigger["Metrics"] = queries.iter().map(query).collect(),
    }
    trigger
}

fn query(query: &DataQuery) -> Value {
    let mut json = json!({ "Id": query.id, "ReturnData": query.return_data });
    if let Some(label) = &query.label {
        json["Label"] = json!(label.text());
    }
    match &query.source {
        Source::Expression { text, .. } => json["Expression"] = json!(text),
        Source::Stat(stat) => {
            json["MetricStat"] = json!({
                "Metric": {
                    "Dimensions": dimensions(&stat.metric),
                    "MetricName": stat.metric.name,
                    "Namespace": stat.metric.namespace,
                },
                "Period": stat.period_s,
                "Stat": stat.stat,
            });
            if let Some(unit) = stat.unit {
                json["MetricStat"]["Unit"] = json!(unit);
            }
        }
    }
    json
}

fn dimensions(metric: &Metric) -> Value {
    metric.dimensions.iter().map(|(name, value)| json!({ "value": value, "name": name })).collect()
}

/// The region as people call it; a region that is not known here by its code.
fn region_name(region: &str) -> &str {
    const NAMES: [(&str, &str); 20] = [
        ("ap-east-1", "Asia Pacific (Hong Kong)"),
        ("ap-northeast-1", "Asia Pacific (Tokyo)"),
        ("ap-northeast-2", "Asia Pacific (Seoul)"),
        ("ap-northeast-3", "Asia Pacific (Osaka)"),
        ("ap-south-1", "Asia Pacific (Mumbai)"),
        ("ap-southeast-1", "Asia Pacific (Singapore)"),
        ("ap-southeast-2", "Asia Pacific (Sydney)"),
        ("ca-central-1", "Canada (Central)"),
        ("eu-central-1", "EU (Frankfurt)"),
        ("eu-north-1", "EU (Stockholm)"),
        ("eu-south-1", "EU (Milan)"),
        ("eu-west-1", "EU (Ireland)"),
        ("eu-west-2", "EU (London)"),
        ("eu-west-3", "EU (Paris)"),
        ("me-south-1", "Middle East (Bahrain)"),
        ("sa-east-1", "South America (Sao Paulo)"),
        ("us-east-1", "US East (N. Virginia)"),
        ("us-east-2", "US East (Ohio)"),
        ("us-west-1", "US West (N. California)"),
        ("us-west-2", "US West (Oregon)"),
    ];
    NAMES.iter().find(|(code, _)| *code == region).map_or(region, |(_, name)| name)
}
