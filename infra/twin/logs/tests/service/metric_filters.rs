//! Metric filters through the API, with a sink that remembers.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use twin_platform::{
    Speed,
    seam::{Datum, LogLine, LogSink as _, MetricSink},
};

use super::{Client, DAY_MS, MINUTE_MS, now_ms};

#[derive(Default)]
struct Remembered(Mutex<Vec<Datum>>);

impl MetricSink for Remembered {
    fn put(&self, data: Vec<Datum>) {
        self.0.lock().expect("no test panics within").extend(data);
    }
}

impl Remembered {
    fn of(&self, name: &str) -> Vec<(i64, f64)> {
        let data = self.0.lock().expect("no test panics within");
        data.iter().filter(|datum| datum.name == name).map(|datum| (datum.timestamp_ms, datum.values[0].0)).collect()
    }
}

async fn listening(speed: f64) -> (Client, Arc<Remembered>) {
    let client = Client::with_stream(1 << 20).await;
    let sink = Arc::new(Remembered::default());
    client.0.set_metrics(Arc::<Remembered>::clone(&sink), Speed::new(speed).expect("a speed"));
    (client, sink)
}

fn counting(name: &str, pattern: &str) -> Value {
    json!({
        "logGroupName": "/ecs/golden", "filterName": name, "filterPattern": pattern,
        "metricTransformations": [{ "metricName": name, "metricNamespace": "Golden", "metricValue": "1", "unit": "Count" }],
    })
}

#[tokio::test]
async fn each_event_counts_once_at_its_own_time() {
    let (client, sink) = listening(1.0).await;
    let now = now_ms();
    client.put("a", &[(now - 9, r#"{"status":500}"#)]).await;
    client.ok("PutMetricFilter", counting("errors", "{ $.status >= 500 }")).await;
    client.ok("PutMetricFilter", counting("every", "")).await;
    client.put("a", &[(now - 15 * DAY_MS, r#"{"status":500}"#), (now - 5, r#"{"status":503}"#), (now - 4, "x")]).await;
    let line = |timestamp_ms, message: &str| LogLine { timestamp_ms, message: message.to_owned() };
    let lines = vec![line(now - 3, r#"{"status":500}"#), line(now - 2, r#"{"status":200}"#)];
    client.0.append("/ecs/golden", "a", lines).await.expect("the stream is there");
    assert_eq!(sink.of("errors"), [(now - 5, 1.0), (now - 3, 1.0)], "none from before, none that was rejected");
    assert_eq!(sink.of("every").len(), 4);
    let unit = sink.0.lock().expect("no test panics within")[0].unit;
    assert_eq!(unit, "Count");
    // A filter that is put again is the same filter.
    client.ok("PutMetricFilter", counting("errors", "{ $.status = 404 }")).await;
    client.ok("DeleteMetricFilter", json!({ "logGroupName": "/ecs/golden", "filterName": "every" })).await;
    client.put("a", &[(now, r#"{"status":404}"#), (now, r#"{"status":500}"#)]).await;
    assert_eq!(sink.of("errors").len(), 3);
    assert_eq!(sink.of("every").len(), 4);
}

#[tokio::test]
async fn the_default_value_comes_when_a_minute_is_over() {
    let (client, sink) = listening(100.0).await;
    let mut body = counting("errors", "ERROR");
    body["metricTransformations"][0]["defaultValue"] = 0.0.into();
    client.ok("PutMetricFilter", body).await;
    let start = now_ms();
    client.put("a", &[(start - MINUTE_MS, "fine")]).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while sink.of("errors").is_empty() {
        assert!(Instant::now() < deadline, "no default value comes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let [(timestamp_ms, value)] = sink.of("errors")[..] else { panic!("one value: {:?}", sink.of("errors")) };
    assert_eq!(value, 0.0);
    assert!((start - 600..=start + 600).contains(&timestamp_ms), "{timestamp_ms} is not near {start}");
}

#[tokio::test]
async fn filters_are_listed_tried_and_limited() {
    let (client, _) = listening(1.0).await;
    for name in ["b", "a", "c"] {
        client.ok("PutMetricFilter", counting(name, "{ $.status = * }")).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let filters = answer["metricFilters"].as_array().expect("filters").iter();
        filters.map(|filter| filter["filterName"].as_str().expect("a name").to_owned()).collect()
    };
    let first = client.ok("DescribeMetricFilters", json!({ "limit": 2 })).await;
    let second = client.ok("DescribeMetricFilters", json!({ "nextToken": first["nextToken"] })).await;
    assert_eq!([names(&first), names(&second)].concat(), ["a", "b", "c"]);
    assert_eq!(first["metricFilters"][0]["metricTransformations"][0]["metricValue"], "1");
    let by_metric = json!({ "metricName": "b", "metricNamespace": "Golden" });
    assert_eq!(names(&client.ok("DescribeMetricFilters", by_metric).await), ["b"]);
    let by_prefix = json!({ "logGroupName": "/ecs/golden", "filterNamePrefix": "c" });
    assert_eq!(names(&client.ok("DescribeMetricFilters", by_prefix).await), ["c"]);
    client.refused("DescribeMetricFilters", json!({ "metricName": "b" })).await;
    let groups = client.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["metricFilterCount"], 3);

    let tried = json!({ "filterPattern": "{ $.status >= 500 && $.path = * }",
        "logEventMessages": [r#"{"status":200,"path":"/"}"#, r#"{"status":500,"path":"/db"}"#] });
    let expected = json!([{ "eventNumber": 2, "eventMessage": r#"{"status":500,"path":"/db"}"#,
        "extractedValues": { "$.status": "500", "$.path": "/db" } }]);
    assert_eq!(client.ok("TestMetricFilter", tried).await["matches"], expected);
    let tried = json!({ "filterPattern": "[verb, ..., status = 5*]", "logEventMessages": ["GET /x 503"] });
    let values = json!({ "$verb": "GET", "$2": "/x", "$status": "503" });
    assert_eq!(client.ok("TestMetricFilter", tried).await["matches"][0]["extractedValues"], values);

    for index in 0..5 {
        client.ok("PutMetricFilter", counting(&format!("regular {index}"), "%a%")).await;
    }
    let mut reserved = counting("reserved", "x");
    reserved["metricTransformations"][0]["metricNamespace"] = json!("AWS/ECS");
    assert!(client.refused("PutMetricFilter", reserved).await.1.contains("reserved for AWS"));
    assert_eq!(client.refused("PutMetricFilter", counting("one too many", "%a%")).await.0, "LimitExceededException");
    for index in 0..92 {
        client.ok("PutMetricFilter", counting(&format!("filler {index}"), "x")).await;
    }
    assert_eq!(client.refused("PutMetricFilter", counting("one too many", "x")).await.0, "LimitExceededException");
    client.ok("PutMetricFilter", counting("filler 1", "y")).await;

    let (code, message) = client.refused("PutMetricFilter", counting("a", "{ $.status >= }")).await;
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("at position 15"), "{message}");
    let mut body = counting("a", "x");
    body["applyOnTransformedLogs"] = true.into();
    assert_eq!(client.refused("PutMetricFilter", body).await.0, "NotImplemented");
    let mut body = counting("a", "x");
    body["metricTransformations"] = json!([]);
    assert_eq!(client.refused("PutMetricFilter", body).await.0, "InvalidParameterException");
    let mut body = counting("a", "{ $.a = * }");
    body["metricTransformations"][0]["defaultValue"] = 0.into();
    body["metricTransformations"][0]["dimensions"] = json!({ "A": "$.a" });
    let (_, message) = client.refused("PutMetricFilter", body).await;
    assert!(message.contains("mutually exclusive"), "{message}");
    let mut body = counting("a", "x");
    body["logGroupName"] = "/none".into();
    assert_eq!(client.refused("PutMetricFilter", body).await.0, "ResourceNotFoundException");
    let missing = json!({ "logGroupName": "/ecs/golden", "filterName": "none" });
    assert_eq!(client.refused("DeleteMetricFilter", missing).await.0, "ResourceNotFoundException");
}
