//! Bad input: AWS's own errors, and nothing lost or kept beside them.

use serde_json::{Value, json};

use crate::support::{Client, this_minute};

async fn put(client: &Client, datum: Value) -> String {
    let (code, message) = client
        .refused(
            "PutMetricData",
            json!({ "Namespace": "Lab", "MetricData": [{ "MetricName": "good", "Value": 1 }, datum] }),
        )
        .await;
    format!("{code}: {message}")
}

#[tokio::test]
async fn a_bad_datum_refuses_the_whole_request() {
    let client = Client::new();
    let name = "InvalidParameterValueException: The value";
    assert_eq!(
        put(&client, json!({ "MetricName": "m", "Value": "NaN" })).await,
        format!("{name} NaN for parameter MetricData.member.2.Value is invalid.")
    );
    assert_eq!(
        put(&client, json!({ "MetricName": "m", "Value": "-Infinity" })).await,
        format!("{name} -Infinity for parameter MetricData.member.2.Value is invalid.")
    );
    assert!(put(&client, json!({ "MetricName": "m", "Value": 1e109 })).await.starts_with(name));
    assert!(
        put(&client, json!({ "MetricName": "m", "Values": [1, "NaN"] }))
            .await
            .contains("MetricData.member.2.Values.member.2")
    );
    let now = this_minute();
    for at in [now - 15 * 24 * 3600, now + 3 * 3600] {
        assert_eq!(
            put(&client, json!({ "MetricName": "m", "Value": 1, "Timestamp": at })).await,
            "InvalidParameterValueException: The parameter MetricData.member.2.Timestamp must specify a time no more than two weeks in the past and no more than two hours in the future."
        );
    }
    assert_eq!(
        put(&client, json!({ "Value": 1 })).await,
        "MissingRequiredParameterException: The parameter MetricData.member.2.MetricName is required."
    );
    assert!(put(&client, json!({ "MetricName": "m" })).await.starts_with("MissingRequiredParameterException"));
    assert!(
        put(&client, json!({ "MetricName": "m", "Value": 1, "Values": [1] }))
            .await
            .starts_with("InvalidParameterCombinationException")
    );
    assert!(
        put(&client, json!({ "MetricName": "m", "Values": [1, 2], "Counts": [1] }))
            .await
            .starts_with("InvalidParameterCombinationException")
    );
    assert!(put(&client, json!({ "MetricName": "m", "Values": vec![1; 151] })).await.contains("150"));
    assert!(put(&client, json!({ "MetricName": "m", "Value": 1, "Unit": "Parsecs" })).await.contains("Parsecs"));
    assert!(
        put(&client, json!({ "MetricName": "m", "Value": 1, "StorageResolution": 5 }))
            .await
            .contains("StorageResolution")
    );
    assert!(put(&client, json!({ "MetricName": "m".repeat(256), "Value": 1 })).await.contains("shorter than 256"));
    let set = json!({ "SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1 });
    assert!(
        put(&client, json!({ "MetricName": "m", "StatisticValues": set }))
            .await
            .contains("MetricData.member.2.StatisticValues.Maximum")
    );
    let dimensions: Vec<Value> = (0..31).map(|index| json!({ "Name": format!("d{index}"), "Value": "v" })).collect();
    assert!(put(&client, json!({ "MetricName": "m", "Value": 1, "Dimensions": dimensions })).await.contains("30"));
    assert!(
        put(&client, json!({ "MetricName": "m", "Value": 1, "Dimensions": [{ "Name": "d", "Value": "" }] }))
            .await
            .starts_with("MissingRequiredParameterException")
    );

    let many: Vec<Value> = (0..1001).map(|_| json!({ "MetricName": "m", "Value": 1 })).collect();
    assert!(
        client.refused("PutMetricData", json!({ "Namespace": "Lab", "MetricData": many })).await.1.contains("1000")
    );
    assert!(
        client.refused("PutMetricData", json!({ "Namespace": "AWS/X", "MetricData": [] })).await.1.contains("AWS/")
    );
    let metrics = client.ok("ListMetrics", json!({})).await;
    assert_eq!(metrics["Metrics"], json!([]), "nothing of a refused request is kept");
    client.put("good", now, &[1.0]).await;
    assert_eq!(client.ok("ListMetrics", json!({})).await["Metrics"][0]["MetricName"], "good");
}

#[tokio::test]
async fn queries_are_checked() {
    let client = Client::new();
    let get = async |change: Value| {
        let mut body = json!({ "Namespace": "Lab", "MetricName": "m", "StartTime": 0, "EndTime": 86400, "Period": 60, "Statistics": ["Sum"] });
        for (key, value) in change.as_object().expect("members") {
            body[key] = value.clone();
        }
        let (code, message) = client.refused("GetMetricStatistics", body).await;
        format!("{code}: {message}")
    };
    assert!(get(json!({ "EndTime": 0 })).await.contains("StartTime must be less"));
    assert!(get(json!({ "Period": 61 })).await.contains("multiple of 60"));
    assert!(
        get(json!({ "EndTime": 86460 }))
            .await
            .starts_with("InvalidParameterCombinationException: You have requested up to 1441 datapoints")
    );
    assert!(get(json!({ "Statistics": ["Median"] })).await.contains("Median"));
    assert!(get(json!({ "Statistics": [] })).await.contains("At least one"));
    assert!(get(json!({ "ExtendedStatistics": ["p90"] })).await.contains("mutually exclusive"));
    assert!(get(json!({ "StartTime": "yesterday" })).await.contains("StartTime is no timestamp"));
    assert!(get(json!({ "Colour": "red" })).await.starts_with("NotImplemented"));
}

#[tokio::test]
async fn dashboards_are_json_with_widgets() {
    let client = Client::new();
    let put =
        async |body: &str| client.refused("PutDashboard", json!({ "DashboardName": "d", "DashboardBody": body })).await;
    for (body, part) in [
        ("{", "valid JSON"),
        ("[]", "required property 'widgets'"),
        ("{\"widgets\":{}}", "/widgets"),
        ("{\"widgets\":[{\"type\":\"text\"}]}", "/widgets/0"),
    ] {
        let (code, message) = put(body).await;
        assert_eq!(code, "DashboardInvalidInputError");
        assert!(
            message.starts_with("The dashboard body is invalid, there is 1 validation error: ")
                && message.contains(part),
            "{message}"
        );
    }
    assert!(
        client
            .refused("PutDashboard", json!({ "DashboardName": "a b", "DashboardBody": "{}" }))
            .await
            .1
            .contains("invalid characters")
    );
    let body = r#"{"widgets":[{"type":"text","properties":{"markdown":"hi"}}]}"#;
    for name in ["lab-a", "lab-b", "other"] {
        client.ok("PutDashboard", json!({ "DashboardName": name, "DashboardBody": body })).await;
    }
    let list = client.ok("ListDashboards", json!({ "DashboardNamePrefix": "lab-" })).await;
    assert_eq!(list["DashboardEntries"].as_array().map(Vec::len), Some(2));
    assert_eq!(list["DashboardEntries"][0]["Size"], body.len());
    let got = client.ok("GetDashboard", json!({ "DashboardName": "lab-a" })).await;
    assert_eq!(
        (&got["DashboardBody"], &got["DashboardArn"]),
        (&json!(body), &json!("arn:aws:cloudwatch::123456789012:dashboard/lab-a"))
    );
    let (code, _) = client.refused("DeleteDashboards", json!({ "DashboardNames": ["lab-a", "gone"] })).await;
    assert_eq!(code, "DashboardNotFoundError");
    client.ok("DeleteDashboards", json!({ "DashboardNames": ["lab-a", "lab-b"] })).await;
    assert_eq!(client.ok("ListDashboards", json!({})).await["DashboardEntries"][0]["DashboardName"], "other");
}
