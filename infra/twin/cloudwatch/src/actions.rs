//! The actions, one file per group of them, with the parameters each understands on one screen.

mod alarm_read;
mod alarm_write;
mod dashboards;
mod get_data;
mod get_statistics;
mod history;
mod list_metrics;
mod page;
mod put_data;
mod put_metric_alarm;
mod tags;

use twin_platform::{AwsError, Request, Response};

use crate::{
    CloudWatch,
    data_query::read::refuse_unknown,
    input::Fields,
    now_ms,
    wire::{Call, Protocol, Value},
};

/// What an action gets: the service, its input, and the time.
struct Context<'a> {
    cloudwatch: &'a CloudWatch,
    input: Fields<'a>,
    now_ms: i64,
}

type Answer = Result<Value, AwsError>;
type Action = fn(&Context<'_>) -> Answer;

/// Name, parameters (any other is refused by name, never ignored), and who answers.
const ACTIONS: &[(&str, &[&str], Action)] = &[
    ("DeleteAlarms", &["AlarmNames"], alarm_write::delete),
    ("DeleteDashboards", &["DashboardNames"], dashboards::delete),
    (
        "DescribeAlarmHistory",
        &["AlarmName", "AlarmTypes", "HistoryItemType", "StartDate", "EndDate", "MaxRecords", "NextToken", "ScanBy"],
        history::describe,
    ),
    (
        "DescribeAlarms",
        &[
            "AlarmNames",
            "AlarmNamePrefix",
            "AlarmTypes",
            "ChildrenOfAlarmName",
            "ParentsOfAlarmName",
            "StateValue",
            "ActionPrefix",
            "MaxRecords",
            "NextToken",
        ],
        alarm_read::describe,
    ),
    (
        "DescribeAlarmsForMetric",
        &["MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"],
        alarm_read::for_metric,
    ),
    ("DisableAlarmActions", &["AlarmNames"], alarm_write::disable_actions),
    ("EnableAlarmActions", &["AlarmNames"], alarm_write::enable_actions),
    ("GetDashboard", &["DashboardName"], dashboards::get),
    (
        "GetMetricData",
        &["MetricDataQueries", "StartTime", "EndTime", "NextToken", "ScanBy", "MaxDatapoints", "LabelOptions"],
        get_data::get,
    ),
    (
        "GetMetricStatistics",
        &[
            "Namespace",
            "MetricName",
            "Dimensions",
            "StartTime",
            "EndTime",
            "Period",
            "Statistics",
            "ExtendedStatistics",
            "Unit",
        ],
        get_statistics::get,
    ),
    ("ListDashboards", &["DashboardNamePrefix", "NextToken"], dashboards::list),
    (
        "ListMetrics",
        &["Namespace", "MetricName", "Dimensions", "NextToken", "RecentlyActive", "IncludeLinkedAccounts"],
        list_metrics::list,
    ),
    ("ListTagsForResource", &["ResourceARN"], tags::list),
    (
        "PutCompositeAlarm",
        &[
            "AlarmName",
            "AlarmDescription",
            "AlarmRule",
            "ActionsEnabled",
            "OKActions",
            "AlarmActions",
            "InsufficientDataActions",
            "Tags",
        ],
        alarm_write::put_composite,
    ),
    ("PutDashboard", &["DashboardName", "DashboardBody"], dashboards::put),
    (
        "PutMetricAlarm",
        &[
            "AlarmName",
            "AlarmDescription",
            "ActionsEnabled",
            "OKActions",
            "AlarmActions",
            "InsufficientDataActions",
            "MetricName",
            "Namespace",
            "Statistic",
            "ExtendedStatistic",
            "Dimensions",
            "Period",
            "Unit",
            "EvaluationPeriods",
            "DatapointsToAlarm",
            "Threshold",
            "ComparisonOperator",
            "TreatMissingData",
            "EvaluateLowSampleCountPercentile",
            "Metrics",
            "Tags",
        ],
        put_metric_alarm::put,
    ),
    ("PutMetricData", &["Namespace", "MetricData"], put_data::put),
    ("SetAlarmState", &["AlarmName", "StateValue", "StateReason", "StateReasonData"], alarm_write::set_state),
    ("TagResource", &["ResourceARN", "Tags"], tags::tag),
    ("UntagResource", &["ResourceARN", "TagKeys"], tags::untag),
];

/// Answers one request in its own protocol.
pub(crate) fn handle(cloudwatch: &CloudWatch, request: &Request) -> Response {
    let protocol = Protocol::of(request);
    match protocol.read(request).and_then(|call| Ok((dispatch(cloudwatch, &call)?, call))) {
        Ok((output, call)) => call.protocol.answer(&call.action, &output),
        Err(error) => protocol.error(&error),
    }
}

fn dispatch(cloudwatch: &CloudWatch, call: &Call) -> Answer {
    let Some((_, known, action)) = ACTIONS.iter().find(|(name, ..)| *name == call.action) else {
        return Err(AwsError::not_implemented("monitoring", &call.action));
    };
    let input = Fields::new(&call.input);
    refuse_unknown(&input, known)?;
    action(&Context { cloudwatch, input, now_ms: now_ms() })
}

/// The answer of an action that returns nothing.
fn nothing() -> Answer {
    Ok(Value::Map(Vec::new()))
}
