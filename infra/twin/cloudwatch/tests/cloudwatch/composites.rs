//! Composite alarms: they follow their children, and nobody else.

use serde_json::{Value, json};

use crate::support::{Client, TOPIC, settings, state};

#[tokio::test]
async fn composite_alarms_follow_their_children() {
    let client = Client::new();
    for name in ["a", "b"] {
        client.ok("PutMetricAlarm", settings(name, json!({ "AlarmActions": [], "OKActions": [] }))).await;
        client.ok("SetAlarmState", json!({ "AlarmName": name, "StateValue": "OK", "StateReason": "x" })).await;
    }
    let put = |name: &str, rule: &str| json!({ "AlarmName": name, "AlarmRule": rule, "AlarmActions": [TOPIC] });
    let (code, message) = client.refused("PutCompositeAlarm", put("c", "ALARM(gone)")).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationError", "Could not save the composite alarm as alarms [gone] in the alarm rule do not exist")
    );
    let (_, message) = client.refused("PutCompositeAlarm", put("c", "ALARM(a) AND")).await;
    assert!(message.ends_with("at position 13"), "{message}");
    client.ok("PutCompositeAlarm", put("c", "ALARM(\"a\") AND NOT ALARM(b)")).await;
    client.ok("PutCompositeAlarm", put("top", "ALARM(c)")).await;
    client.cloudwatch.evaluate(0);
    assert_eq!((state(&client, "c").await, state(&client, "top").await), ("OK".into(), "OK".into()));
    client.ok("SetAlarmState", json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "x" })).await;
    client.cloudwatch.run_actions().await;
    let top = client.alarm("top").await;
    assert_eq!(top["StateValue"], "ALARM");
    assert!(
        top["StateReason"]
            .as_str()
            .is_some_and(|reason| reason
                .starts_with("arn:aws:cloudwatch:us-east-1:123456789012:alarm:c transitioned to ALARM at ")),
        "{top}"
    );
    let message: Value = serde_json::from_str(&client.noted.all()[0].2).expect("JSON");
    assert_eq!(
        (&message["AlarmRule"], &message["TriggeringChildren"][0]["State"]["Value"]),
        (&json!("ALARM(\"a\") AND NOT ALARM(b)"), &json!("ALARM"))
    );

    let children = client.ok("DescribeAlarms", json!({ "ChildrenOfAlarmName": "c" })).await;
    assert_eq!(children["MetricAlarms"].as_array().map(Vec::len), Some(2));
    let parents = client.ok("DescribeAlarms", json!({ "ParentsOfAlarmName": "c" })).await;
    assert_eq!(parents["CompositeAlarms"][0]["AlarmName"], "top");
    let (_, message) = client.refused("DeleteAlarms", json!({ "AlarmNames": ["a"] })).await;
    assert_eq!(message, "Cannot delete a as there are composite alarm(s) depending on it.");
    // A cycle stops evaluation and forbids deletion until it is broken.
    client.ok("PutCompositeAlarm", put("c", "NOT ALARM(top)")).await;
    client.cloudwatch.evaluate(0);
    assert_eq!(state(&client, "c").await, "ALARM");
    assert!(client.refused("DeleteAlarms", json!({ "AlarmNames": ["c"] })).await.1.contains("depending"));
    client.ok("PutCompositeAlarm", put("c", "FALSE")).await;
    client.cloudwatch.evaluate(0);
    assert_eq!((state(&client, "c").await, state(&client, "top").await), ("OK".into(), "OK".into()));
    client.ok("DeleteAlarms", json!({ "AlarmNames": ["top"] })).await;
    client.ok("DeleteAlarms", json!({ "AlarmNames": ["c", "a", "b"] })).await;
    assert_eq!(client.ok("DescribeAlarms", json!({})).await["MetricAlarms"], json!([]));
}

#[tokio::test]
async fn a_composite_alarm_that_another_suppresses_never_notifies() {
    let client = Client::new();
    client.ok("PutMetricAlarm", settings("symptom", json!({ "AlarmActions": [], "OKActions": [] }))).await;
    for (name, rule) in [("z-deploying", "ALARM(symptom)"), ("a-page", "ALARM(symptom) AND NOT ALARM(z-deploying)")] {
        client.ok("PutCompositeAlarm", json!({ "AlarmName": name, "AlarmRule": rule })).await;
    }
    client.cloudwatch.evaluate(0);
    client.ok("SetAlarmState", json!({ "AlarmName": "symptom", "StateValue": "ALARM", "StateReason": "x" })).await;
    assert_eq!((state(&client, "z-deploying").await, state(&client, "a-page").await), ("ALARM".into(), "OK".into()));
    let filter = json!({ "AlarmName": "a-page", "HistoryItemType": "StateUpdate" });
    let history = client.ok("DescribeAlarmHistory", filter).await;
    assert_eq!(history["AlarmHistoryItems"].as_array().map(Vec::len), Some(1), "only its first state: {history}");
    // A composite that is set by hand stays so until a child changes.
    client.ok("SetAlarmState", json!({ "AlarmName": "a-page", "StateValue": "ALARM", "StateReason": "by hand" })).await;
    client.cloudwatch.evaluate(0);
    assert_eq!(state(&client, "a-page").await, "ALARM");
    client.ok("SetAlarmState", json!({ "AlarmName": "symptom", "StateValue": "OK", "StateReason": "x" })).await;
    assert_eq!(state(&client, "a-page").await, "OK");
}
