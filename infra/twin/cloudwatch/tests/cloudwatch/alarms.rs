//! Alarms from outside: settings, evaluation, history, actions, composites.

use std::time::Instant;

use serde_json::{Value, json};
use twin_platform::seam::MetricSink as _;

use crate::support::{Client, TOPIC, datum, settings, state, this_minute};

#[tokio::test]
async fn an_alarm_goes_to_alarm_and_back_with_reason_history_and_notification() {
    let client = Client::new();
    let minute = this_minute();
    client
        .ok(
            "PutMetricAlarm",
            settings(
                "errors",
                json!({ "AlarmDescription": "too many", "TreatMissingData": "notBreaching", "DatapointsToAlarm": 1 }),
            ),
        )
        .await;
    let fresh = client.alarm("errors").await;
    assert_eq!(
        (&fresh["StateValue"], &fresh["StateReason"]),
        (&json!("INSUFFICIENT_DATA"), &json!("Unchecked: Initial alarm creation"))
    );
    client.put("errors", minute, &[2.0, 3.0]).await;
    assert_eq!(client.evaluate(minute + 60).await, 1);
    assert_eq!(client.evaluate(minute + 61).await, 0, "the next look is a period later");
    let alarm = client.alarm("errors").await;
    let at = time::OffsetDateTime::from_unix_timestamp(minute).expect("a time");
    let short = format!(
        "{:02}/{:02}/{:02} {:02}:{:02}:00",
        at.day(),
        u8::from(at.month()),
        at.year() % 100,
        at.hour(),
        at.minute()
    );
    assert_eq!(
        alarm["StateReason"],
        format!(
            "Threshold Crossed: 1 out of the last 1 datapoints [5.0 ({short})] was greater than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
        )
    );
    let data: Value = serde_json::from_str(alarm["StateReasonData"].as_str().expect("data")).expect("JSON");
    assert_eq!(
        (&data["recentDatapoints"], &data["threshold"], &data["period"]),
        (&json!([5.0]), &json!(1.0), &json!(60))
    );
    assert_eq!(data["evaluatedDatapoints"][0]["sampleCount"], 2.0);
    assert_eq!(alarm["StateTransitionedTimestamp"], (minute + 60) as f64);

    let (arn, subject, message) = client.noted.all().pop().expect("a notification");
    assert_eq!((arn.as_str(), subject.as_str()), (TOPIC, "ALARM: \"errors\" in US East (N. Virginia)"));
    let message: Value = serde_json::from_str(&message).expect("JSON");
    assert_eq!((&message["OldStateValue"], &message["NewStateValue"]), (&json!("INSUFFICIENT_DATA"), &json!("ALARM")));
    assert_eq!((&message["AWSAccountId"], &message["AlarmDescription"]), (&json!("123456789012"), &json!("too many")));
    assert_eq!(message["NewStateReason"], alarm["StateReason"]);
    let trigger = &message["Trigger"];
    assert_eq!(
        (&trigger["MetricName"], &trigger["Statistic"], &trigger["StatisticType"]),
        (&json!("errors"), &json!("SUM"), &json!("Statistic"))
    );
    assert_eq!(
        (&trigger["TreatMissingData"], &trigger["DatapointsToAlarm"], &trigger["Unit"]),
        (&json!("notBreaching"), &json!(1), &Value::Null)
    );

    // The datapoint leaves the evaluation range (1 period and 2 more) and silence is fine.
    client.evaluate(minute + 180).await;
    assert_eq!(state(&client, "errors").await, "ALARM", "one real datapoint is still in the range");
    client.evaluate(minute + 240).await;
    let alarm = client.alarm("errors").await;
    assert_eq!(alarm["StateValue"], "OK");
    assert_eq!(
        alarm["StateReason"],
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."
    );
    assert_eq!(client.noted.all().len(), 2);

    let history =
        client.ok("DescribeAlarmHistory", json!({ "AlarmName": "errors", "ScanBy": "TimestampAscending" })).await;
    let items = history["AlarmHistoryItems"].as_array().expect("items");
    let summaries: Vec<&str> = items.iter().filter_map(|item| item["HistorySummary"].as_str()).collect();
    assert_eq!(
        summaries,
        [
            "Alarm \"errors\" created",
            "Alarm updated from INSUFFICIENT_DATA to ALARM",
            &format!("Successfully executed action {TOPIC}"),
            "Alarm updated from ALARM to OK",
            &format!("Successfully executed action {TOPIC}"),
        ]
    );
    let data: Value = serde_json::from_str(items[1]["HistoryData"].as_str().expect("data")).expect("JSON");
    assert_eq!(
        (&data["newState"]["stateValue"], &data["newState"]["stateReasonData"]["threshold"]),
        (&json!("ALARM"), &json!(1.0))
    );
    let data: Value = serde_json::from_str(items[0]["HistoryData"].as_str().expect("data")).expect("JSON");
    assert_eq!(
        (&data["type"], &data["createdAlarm"]["alarmName"], &data["createdAlarm"]["okactions"][0]),
        (&json!("Create"), &json!("errors"), &json!(TOPIC))
    );
    let page = client
        .ok("DescribeAlarmHistory", json!({ "AlarmName": "errors", "HistoryItemType": "StateUpdate", "MaxRecords": 1 }))
        .await;
    assert_eq!(page["AlarmHistoryItems"][0]["HistorySummary"], "Alarm updated from ALARM to OK", "newest first");
    assert_eq!(page["NextToken"], "1");
}

#[tokio::test]
async fn speed_shortens_windows_and_nothing_else() {
    let client = Client::at_speed(10.0);
    let minute = this_minute();
    client.ok("PutMetricAlarm", settings("errors", json!({ "EvaluationPeriods": 2 }))).await;
    client.put("errors", minute, &[5.0]).await;
    client.put("errors", minute + 6, &[5.0]).await;
    client.evaluate(minute + 12).await;
    let alarm = client.alarm("errors").await;
    assert_eq!((&alarm["StateValue"], &alarm["Period"]), (&json!("ALARM"), &json!(60)));
    assert_eq!(client.evaluate(minute + 17).await, 0);
    assert_eq!(client.evaluate(minute + 18).await, 1, "a window is 6 s");
}

#[tokio::test]
async fn percentiles_and_metric_math_are_watched() {
    let client = Client::new();
    let minute = this_minute();
    let latency = json!({
        "Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime", "Statistic": null, "ExtendedStatistic": "p95",
        "Dimensions": [{ "Name": "LoadBalancer", "Value": "app/golden/1" }], "EvaluateLowSampleCountPercentile": "ignore",
    });
    client.ok("PutMetricAlarm", settings("p95", latency)).await;
    let metric = |id: &str, name: &str| json!({ "Id": id, "ReturnData": false, "MetricStat": { "Metric": { "Namespace": "Lab", "MetricName": name }, "Period": 60, "Stat": "Sum" } });
    let rate = json!({
        "AlarmName": "rate", "EvaluationPeriods": 1, "Threshold": 0.01, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [TOPIC],
        "Metrics": [metric("m1", "errors"), metric("m2", "requests"), { "Id": "e1", "Expression": "IF(m2 > 0, m1 / m2, 0)", "Label": "error rate" }],
    });
    client.ok("PutMetricAlarm", rate).await;
    client.cloudwatch.put(vec![datum("TargetResponseTime", minute, vec![(0.1, 100.0), (3.0, 50.0)])]);
    client.put("errors", minute, &[2.0]).await;
    client.put("requests", minute + 1, &[100.0]).await;
    client.evaluate(minute + 60).await;
    assert_eq!(state(&client, "p95").await, "INSUFFICIENT_DATA", "150 samples are few for p95");
    assert_eq!(state(&client, "rate").await, "ALARM");
    let message: Value = serde_json::from_str(&client.noted.all()[0].2).expect("JSON");
    assert_eq!(
        message["Trigger"]["Metrics"][2],
        json!({ "Id": "e1", "Expression": "IF(m2 > 0, m1 / m2, 0)", "Label": "error rate", "ReturnData": true })
    );
    client.cloudwatch.put(vec![datum("TargetResponseTime", minute + 60, vec![(0.1, 100.0), (3.0, 150.0)])]);
    client.evaluate(minute + 120).await;
    assert_eq!(state(&client, "p95").await, "ALARM");

    let described = client.alarm("rate").await;
    assert_eq!(described["Metrics"][0]["MetricStat"]["Metric"]["MetricName"], "errors");
    assert_eq!(described["Period"], Value::Null);
}

#[tokio::test]
async fn an_alarm_on_a_metric_that_never_comes_is_treated_in_four_ways() {
    let client = Client::new();
    for missing in ["missing", "ignore", "breaching", "notBreaching"] {
        client
            .ok(
                "PutMetricAlarm",
                settings(
                    missing,
                    json!({ "TreatMissingData": missing, "EvaluationPeriods": 3, "MetricName": "never" }),
                ),
            )
            .await;
    }
    client.evaluate(this_minute() + 60).await;
    for (name, expected) in [
        ("missing", "INSUFFICIENT_DATA"),
        ("ignore", "INSUFFICIENT_DATA"),
        ("breaching", "ALARM"),
        ("notBreaching", "OK"),
    ] {
        assert_eq!(state(&client, name).await, expected, "{name}");
    }
    client.ok("SetAlarmState", json!({ "AlarmName": "missing", "StateValue": "ALARM", "StateReason": "a test", "StateReasonData": "{\"a\":1}" })).await;
    assert_eq!(client.alarm("missing").await["StateReason"], "a test");
    client.evaluate(this_minute() + 240).await;
    let alarm = client.alarm("missing").await;
    assert_eq!(
        (&alarm["StateValue"], &alarm["StateReason"]),
        (&json!("INSUFFICIENT_DATA"), &json!("Insufficient Data: 3 datapoints were unknown."))
    );
    let (code, _) = client
        .refused(
            "SetAlarmState",
            json!({ "AlarmName": "missing", "StateValue": "OK", "StateReason": "x", "StateReasonData": "{" }),
        )
        .await;
    assert_eq!(code, "InvalidFormatFault");
}

#[tokio::test]
async fn alarms_are_found_switched_tagged_and_checked() {
    let client = Client::new();
    client.ok("PutMetricAlarm", settings("one", json!({ "Tags": [{ "Key": "mode", "Value": "latency" }] }))).await;
    client
        .ok("PutMetricAlarm", settings("two", json!({ "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:fail"] })))
        .await;
    let found = async |filter: Value| {
        let answer = client.ok("DescribeAlarms", filter).await;
        let names = answer["MetricAlarms"]
            .as_array()
            .expect("alarms")
            .iter()
            .map(|alarm| alarm["AlarmName"].as_str().unwrap_or_default().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(found(json!({ "AlarmNamePrefix": "tw" })).await, ["two"]);
    assert_eq!(found(json!({ "ActionPrefix": "arn:aws:sns:us-east-1:123456789012:fail" })).await, ["two"]);
    assert_eq!(found(json!({ "StateValue": "OK" })).await, [] as [&str; 0]);
    assert_eq!(found(json!({ "AlarmTypes": ["CompositeAlarm"] })).await, [] as [&str; 0]);
    assert_eq!(found(json!({ "MaxRecords": 1, "NextToken": "1" })).await, ["two"]);
    assert_eq!(
        client
            .ok("DescribeAlarmsForMetric", json!({ "Namespace": "Lab", "MetricName": "errors", "Statistic": "Sum" }))
            .await["MetricAlarms"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(client.refused("DescribeAlarms", json!({ "NextToken": "x" })).await.0, "InvalidNextToken");

    client.ok("DisableAlarmActions", json!({ "AlarmNames": ["one", "gone"] })).await;
    client.ok("SetAlarmState", json!({ "AlarmName": "one", "StateValue": "ALARM", "StateReason": "x" })).await;
    client.ok("SetAlarmState", json!({ "AlarmName": "two", "StateValue": "ALARM", "StateReason": "x" })).await;
    client.cloudwatch.run_actions().await;
    assert!(client.noted.all().is_empty(), "disabled, and failed");
    let history = client.ok("DescribeAlarmHistory", json!({ "HistoryItemType": "Action" })).await;
    assert_eq!(
        history["AlarmHistoryItems"][0]["HistorySummary"],
        "Failed to execute action arn:aws:sns:us-east-1:123456789012:fail. Received error: \"NotFound: Topic does not exist\""
    );
    client.ok("EnableAlarmActions", json!({ "AlarmNames": ["one"] })).await;
    assert_eq!(client.alarm("one").await["ActionsEnabled"], true);

    let arn = client.alarm("one").await["AlarmArn"].clone();
    client.ok("TagResource", json!({ "ResourceARN": arn, "Tags": [{ "Key": "team", "Value": "lab" }] })).await;
    client.ok("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["mode"] })).await;
    assert_eq!(
        client.ok("ListTagsForResource", json!({ "ResourceARN": arn })).await["Tags"],
        json!([{ "Key": "team", "Value": "lab" }])
    );
    assert_eq!(
        client.refused("ListTagsForResource", json!({ "ResourceARN": "arn:x" })).await.0,
        "ResourceNotFoundException"
    );

    for (change, part) in [
        (json!({ "AlarmName": "" }), "alarmName"),
        (json!({ "Threshold": null }), "threshold"),
        (json!({ "Threshold": "NaN" }), "NaN"),
        (json!({ "EvaluationPeriods": 0 }), "evaluationPeriods"),
        (json!({ "DatapointsToAlarm": 2 }), "DatapointsToAlarm"),
        (json!({ "Period": 45 }), "45"),
        (json!({ "EvaluationPeriods": 1441 }), "a day"),
        (json!({ "ComparisonOperator": "Equal" }), "comparisonOperator"),
        (json!({ "ComparisonOperator": "GreaterThanUpperThreshold" }), "anomaly"),
        (json!({ "TreatMissingData": "guess" }), "treatMissingData"),
        (json!({ "ExtendedStatistic": "p90" }), "mutually exclusive"),
        (json!({ "Statistic": null }), "At least one"),
        (json!({ "AlarmActions": ["nonsense"] }), "Invalid arn syntax: nonsense"),
        (json!({ "Metrics": [] }), "mutually exclusive"),
        (json!({ "ThresholdMetricId": "e1" }), "ThresholdMetricId"),
    ] {
        let (_, message) = client.refused("PutMetricAlarm", settings("bad", change)).await;
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(client.alarm("bad").await, Value::Null);
}

#[tokio::test]
async fn the_loop_evaluates_and_acts() {
    let client = Client::at_speed(100.0);
    let forever = tokio::spawn(client.cloudwatch.clone().evaluate_forever());
    client.ok("PutMetricAlarm", settings("breaching", json!({ "TreatMissingData": "breaching" }))).await;
    let deadline = Instant::now() + std::time::Duration::from_secs(10);
    while client.noted.all().is_empty() {
        assert!(Instant::now() < deadline, "no notification: {}", client.alarm("breaching").await);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    forever.abort();
}

#[tokio::test]
async fn an_evaluation_takes_less_than_a_millisecond() {
    let client = Client::at_speed(10.0);
    let minute = this_minute();
    for second in minute - 600..minute {
        let values = (1..=100).map(|step| (0.01 * f64::from(step), 2.0)).collect();
        client.cloudwatch.put(vec![datum("TargetResponseTime", second, values)]);
    }
    for index in 0..100 {
        let latency = json!({
            "Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime", "Statistic": null, "ExtendedStatistic": "p95",
            "Dimensions": [{ "Name": "LoadBalancer", "Value": "app/golden/1" }], "EvaluationPeriods": 5,
        });
        client.ok("PutMetricAlarm", settings(&format!("p95-{index}"), latency)).await;
    }
    client.ok("ListMetrics", json!({})).await;
    let begun = Instant::now();
    assert_eq!(client.evaluate(minute).await, 100);
    let each = begun.elapsed() / 100;
    eprintln!("evaluation of a p95 alarm over 7 windows of 6 s: {each:?}");
    assert_eq!(state(&client, "p95-0").await, "OK");
    // The bound is 1 ms; a busy machine gets five times that.
    assert!(each.as_micros() < 5000, "{each:?}");
}
