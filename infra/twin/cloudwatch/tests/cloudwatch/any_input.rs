//! No input makes an action panic, in any protocol.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Client;

const ACTIONS: [&str; 20] = [
    "DeleteAlarms",
    "DeleteDashboards",
    "DescribeAlarmHistory",
    "DescribeAlarms",
    "DescribeAlarmsForMetric",
    "DisableAlarmActions",
    "EnableAlarmActions",
    "GetDashboard",
    "GetMetricData",
    "GetMetricStatistics",
    "ListDashboards",
    "ListMetrics",
    "ListTagsForResource",
    "PutCompositeAlarm",
    "PutDashboard",
    "PutMetricAlarm",
    "PutMetricData",
    "SetAlarmState",
    "TagResource",
    "UntagResource",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec![
            json!("a"),
            json!("OK"),
            json!("ALARM"),
            json!("Sum"),
            json!("p90"),
            json!("ALARM(a)"),
            json!("m1 / 2"),
            json!("Count"),
            json!("GreaterThanThreshold"),
            json!("NaN"),
            json!(""),
            json!("é\u{1}"),
            json!("{\"widgets\":[]}"),
            json!("2026-11-21T08:00:00Z"),
            json!("arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"),
            json!(null),
            json!(true),
            json!(60),
            json!(1),
            json!(0),
            json!(-1),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!(0.5),
            json!(1_795_252_800),
            json!(1_795_256_400),
        ]),
        any::<i64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
    ]
}

fn structure(inner: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "AlarmName",
        "AlarmNames",
        "AlarmRule",
        "StateValue",
        "StateReason",
        "Namespace",
        "MetricName",
        "MetricData",
        "Value",
        "Values",
        "Counts",
        "Timestamp",
        "Dimensions",
        "Name",
        "Unit",
        "StatisticValues",
        "SampleCount",
        "Minimum",
        "Maximum",
        "StartTime",
        "EndTime",
        "Period",
        "Statistics",
        "Statistic",
        "ExtendedStatistics",
        "ExtendedStatistic",
        "MetricDataQueries",
        "Metrics",
        "Id",
        "Expression",
        "MetricStat",
        "Metric",
        "Stat",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
        "MaxDatapoints",
        "NextToken",
        "MaxRecords",
        "ScanBy",
        "DashboardName",
        "DashboardBody",
        "DashboardNames",
        "ResourceARN",
        "Tags",
        "TagKeys",
        "Key",
        "AlarmTypes",
        "ReturnData",
        "Sum",
        "LabelOptions",
    ]);
    prop::collection::vec((names, inner), 0..10)
        .prop_map(|members| Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

fn input() -> impl Strategy<Value = Value> {
    let any = leaf().prop_recursive(4, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(structure(inner.clone()), 1..3).prop_map(Value::from),
            structure(inner),
        ]
    });
    structure(any)
}

/// Enough of a whole request that it is accepted now and then, with one member replaced.
fn nearly_good() -> impl Strategy<Value = (usize, Value)> {
    let metric = json!({ "Namespace": "Lab", "MetricName": "m" });
    let query = json!({ "Id": "m1", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "p90" } });
    let good = vec![
        (16, json!({ "Namespace": "Lab", "MetricData": [{ "MetricName": "m", "Value": 1 }] })),
        (
            8,
            json!({ "MetricDataQueries": [query, { "Id": "e1", "Expression": "FILL(m1, 0)" }], "StartTime": 1_795_252_800, "EndTime": 1_795_256_400 }),
        ),
        (
            9,
            json!({ "Namespace": "Lab", "MetricName": "m", "StartTime": 0, "EndTime": 600, "Period": 60, "Statistics": ["Sum"] }),
        ),
        (
            15,
            json!({ "AlarmName": "a", "Namespace": "Lab", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 1, "ComparisonOperator": "LessThanThreshold" }),
        ),
        (13, json!({ "AlarmName": "c", "AlarmRule": "ALARM(a) OR FALSE" })),
        (17, json!({ "AlarmName": "a", "StateValue": "OK", "StateReason": "x" })),
    ];
    (prop::sample::select(good), any::<prop::sample::Index>(), leaf()).prop_map(|((action, mut body), which, value)| {
        if let Some(members) = body.as_object_mut() {
            let names: Vec<String> = members.keys().cloned().collect();
            members.insert(which.get(&names).clone(), value);
        }
        (action, body)
    })
}

fn answered(client: &Client, action: usize, body: &Value) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (status, _) = client.call(ACTIONS[action], body.clone()).await;
        client.evaluate(1_795_252_860).await;
        status
    })
}

proptest! {
    #[test]
    fn any_json_is_answered(calls in prop::collection::vec((0..ACTIONS.len(), input()), 1..4)) {
        let client = Client::new();
        for (action, body) in calls {
            let status = answered(&client, action, &body);
            prop_assert!([200, 400, 404, 501].contains(&status), "{} {body}: {status}", ACTIONS[action]);
        }
    }

    #[test]
    fn anything_in_a_good_request_is_answered(calls in prop::collection::vec(nearly_good(), 1..6)) {
        let client = Client::new();
        for (action, body) in calls {
            let status = answered(&client, action, &body);
            prop_assert!([200, 400, 404, 501].contains(&status), "{} {body}: {status}", ACTIONS[action]);
        }
    }

    #[test]
    fn any_bytes_are_answered(action in prop::sample::select(ACTIONS.to_vec()), body in prop::collection::vec(any::<u8>(), 0..200), form in "[A-Za-z.0-9=&%+]{0,100}") {
        let client = Client::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let path = format!("/service/GraniteServiceVersion20100801/operation/{action}");
            client.send(&path, &[("smithy-protocol", "rpc-v2-cbor")], body.clone()).await;
            let gzip = [("content-encoding", "gzip"), ("content-type", "application/x-www-form-urlencoded")];
            client.send("/", &gzip, body).await;
            client.send("/", &[], format!("Action={action}&{form}").into_bytes()).await;
        });
    }
}
