//! The service as a client sees it, through its HTTP seam.

#[path = "service/insights.rs"]
mod insights;
#[path = "service/metric_filters.rs"]
mod metric_filters;
#[path = "service/ops_queries.rs"]
mod ops_queries;

use std::sync::Arc;

use serde_json::{Value, json};
use twin_logs::Logs;
use twin_platform::{
    Account, Request, Service as _,
    seam::{LogLine, LogSink as _},
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn now_ms() -> i64 {
    i64::try_from(time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).expect("a time of this era")
}

struct Client(Arc<Logs>);

impl Client {
    async fn with_stream(capacity_bytes: usize) -> Self {
        let client = Self(Logs::with_capacity(Account::in_region("us-east-1"), capacity_bytes));
        client.ok("CreateLogGroup", json!({ "logGroupName": "/ecs/golden" })).await;
        client.ok("CreateLogStream", json!({ "logGroupName": "/ecs/golden", "logStreamName": "a" })).await;
        client
    }

    async fn call(&self, action: &str, body: Value) -> (u16, Value) {
        let mut request = Request {
            method: "POST".into(),
            uri: "/".into(),
            headers: Default::default(),
            body: body.to_string().into_bytes().into(),
        };
        let target = format!("Logs_20140328.{action}").parse().expect("a header value");
        request.headers.insert("x-amz-target", target);
        let response = self.0.handle(request).await;
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    async fn ok(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self.call(action, body).await;
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    async fn refused(&self, action: &str, body: Value) -> (String, String) {
        let (status, answer) = self.call(action, body).await;
        assert!(status >= 400, "{action}: {answer}");
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    async fn put(&self, stream: &str, events: &[(i64, &str)]) -> Value {
        let events: Vec<Value> =
            events.iter().map(|(timestamp, message)| json!({ "timestamp": timestamp, "message": message })).collect();
        let body = json!({ "logGroupName": "/ecs/golden", "logStreamName": stream, "logEvents": events });
        self.ok("PutLogEvents", body).await
    }

    async fn filter(&self, more: Value) -> Value {
        let mut body = json!({ "logGroupName": "/ecs/golden" });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.ok("FilterLogEvents", body).await
    }
}

fn messages(answer: &Value) -> Vec<&str> {
    let events = answer["events"].as_array().expect("events");
    events.iter().map(|event| event["message"].as_str().expect("a message")).collect()
}

#[tokio::test]
async fn groups_and_streams_live_as_in_aws() {
    let client = Client::with_stream(1 << 20).await;
    let (code, message) = client.refused("CreateLogGroup", json!({ "logGroupName": "/ecs/golden" })).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ResourceAlreadyExistsException", "The specified log group already exists")
    );
    let (code, _) = client.refused("CreateLogGroup", json!({ "logGroupName": "a b" })).await;
    assert_eq!(code, "InvalidParameterException");
    let (_, message) =
        client.refused("CreateLogStream", json!({ "logGroupName": "/ecs/golden", "logStreamName": "a" })).await;
    assert_eq!(message, "The specified log stream already exists");
    let (code, message) =
        client.refused("CreateLogStream", json!({ "logGroupName": "no", "logStreamName": "a" })).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ResourceNotFoundException", "The specified log group does not exist.")
    );
    let (code, message) = client.refused("StartLiveTail", json!({})).await;
    assert_eq!(code, "NotImplemented");
    assert!(message.contains("logs:StartLiveTail"), "{message}");

    client.ok("PutRetentionPolicy", json!({ "logGroupName": "/ecs/golden", "retentionInDays": 7 })).await;
    let (code, _) =
        client.refused("PutRetentionPolicy", json!({ "logGroupName": "/ecs/golden", "retentionInDays": 8 })).await;
    assert_eq!(code, "InvalidParameterException");
    for name in ["/aws/rds", "/ecs/monitor"] {
        client.ok("CreateLogGroup", json!({ "logGroupName": name, "tags": { "lab": "yes" } })).await;
    }
    let first = client.ok("DescribeLogGroups", json!({ "limit": 2 })).await;
    assert_eq!(first["logGroups"][1]["logGroupName"], "/ecs/golden");
    assert_eq!(first["logGroups"][1]["retentionInDays"], 7);
    assert_eq!(first["logGroups"][1]["arn"], "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/golden:*");
    let second = client.ok("DescribeLogGroups", json!({ "limit": 2, "nextToken": first["nextToken"] })).await;
    assert_eq!(second["logGroups"].as_array().map(Vec::len), Some(1));
    assert_eq!(second["nextToken"], Value::Null);
    let matching = client.ok("DescribeLogGroups", json!({ "logGroupNamePattern": "rds" })).await;
    assert_eq!(matching["logGroups"][0]["logGroupName"], "/aws/rds");
    let arn = matching["logGroups"][0]["logGroupArn"].clone();
    client.ok("TagResource", json!({ "resourceArn": arn, "tags": { "more": "1" } })).await;
    client.ok("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["lab"] })).await;
    let tags = client.ok("ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags["tags"], json!({ "more": "1" }));
    client.ok("DeleteLogGroup", json!({ "logGroupName": "/aws/rds" })).await;
    let (code, _) = client.refused("DeleteLogGroup", json!({ "logGroupName": "/aws/rds" })).await;
    assert_eq!(code, "ResourceNotFoundException");
}

#[tokio::test]
async fn streams_are_listed_by_name_and_by_last_event() {
    let client = Client::with_stream(1 << 20).await;
    let now = now_ms();
    for stream in ["b", "c"] {
        client.ok("CreateLogStream", json!({ "logGroupName": "/ecs/golden", "logStreamName": stream })).await;
    }
    client.put("a", &[(now - 1, "late")]).await;
    client.put("c", &[(now - 9, "early")]).await;
    let ask = |more: Value| {
        let mut body = json!({ "logGroupName": "/ecs/golden", "limit": 2 });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        body
    };
    let names = |answer: &Value| -> Vec<String> {
        let streams = answer["logStreams"].as_array().expect("streams");
        streams.iter().map(|stream| stream["logStreamName"].as_str().expect("a name").to_owned()).collect()
    };
    for (order, descending, expected) in [
        ("LogStreamName", false, ["a", "b", "c"]),
        ("LogStreamName", true, ["c", "b", "a"]),
        ("LastEventTime", false, ["b", "c", "a"]),
        ("LastEventTime", true, ["a", "c", "b"]),
    ] {
        let first = client.ok("DescribeLogStreams", ask(json!({ "orderBy": order, "descending": descending }))).await;
        let rest = json!({ "orderBy": order, "descending": descending, "nextToken": first["nextToken"] });
        let second = client.ok("DescribeLogStreams", ask(rest)).await;
        assert_eq!([names(&first), names(&second)].concat(), expected, "{order} {descending}");
        assert_eq!(second["nextToken"], Value::Null);
    }
    let by_prefix = client.ok("DescribeLogStreams", ask(json!({ "logStreamNamePrefix": "c" }))).await;
    assert_eq!(by_prefix["logStreams"][0]["lastEventTimestamp"], now - 9);
    let (_, message) = client
        .refused("DescribeLogStreams", ask(json!({ "logStreamNamePrefix": "c", "orderBy": "LastEventTime" })))
        .await;
    assert_eq!(message, "Cannot order by LastEventTime with a logStreamNamePrefix.");
    client.ok("DeleteLogStream", json!({ "logGroupName": "/ecs/golden", "logStreamName": "a" })).await;
    assert_eq!(messages(&client.filter(json!({})).await), ["early"]);
}

#[tokio::test]
async fn a_rejected_event_takes_no_accepted_one_with_it() {
    let client = Client::with_stream(1 << 20).await;
    let now = now_ms();
    let events = [
        (now - 15 * DAY_MS, "too old"),
        (now - 3 * DAY_MS, "expired"),
        (now - MINUTE_MS, "kept 1"),
        (now, "kept 2"),
        (now + 3 * 60 * MINUTE_MS, "too new"),
    ];
    let answer = client.put("a", &events[2..]).await;
    assert_eq!(answer["rejectedLogEventsInfo"], json!({ "tooNewLogEventStartIndex": 2 }));
    client.ok("PutRetentionPolicy", json!({ "logGroupName": "/ecs/golden", "retentionInDays": 1 })).await;
    let answer = client.put("a", &events).await;
    let info = json!({ "tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4 });
    assert_eq!(answer["rejectedLogEventsInfo"], info);
    let found = client.filter(json!({})).await;
    assert_eq!(messages(&found), ["kept 1", "kept 1", "kept 2", "kept 2"]);

    let refuse = async |events: Value| {
        let body = json!({ "logGroupName": "/ecs/golden", "logStreamName": "a", "logEvents": events });
        client.refused("PutLogEvents", body).await.1
    };
    let event = |timestamp: i64, message: &str| json!({ "timestamp": timestamp, "message": message });
    assert!(refuse(json!([event(now, "b"), event(now - 1, "a")])).await.contains("chronological order"));
    assert!(refuse(json!([])).await.contains("greater than or equal to 1"));
    assert!(refuse(json!([event(now, "")])).await.contains("logEvents.1.member.message"));
    assert!(refuse(json!([event(now, &"x".repeat(1 << 20))])).await.contains("Log event too large"));
    let half = "x".repeat(1 << 19);
    assert!(refuse(json!([event(now, &half), event(now, &half)])).await.contains("Upload too large"));
    assert!(refuse(json!(vec![event(now, "x"); 10_001])).await.contains("10000"));
    client.ok("DeleteRetentionPolicy", json!({ "logGroupName": "/ecs/golden" })).await;
    assert!(refuse(json!([event(now - 2 * DAY_MS, "a"), event(now, "b")])).await.contains("span more than 24 hours"));
    assert_eq!(messages(&client.filter(json!({})).await).len(), 4, "a refused batch leaves nothing behind");
}

#[tokio::test]
async fn one_stream_is_read_forwards_and_backwards() {
    let client = Client::with_stream(1 << 20).await;
    let ask = async |more: Value| {
        let mut body = json!({ "logGroupName": "/ecs/golden", "logStreamName": "a", "limit": 2 });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        client.ok("GetLogEvents", body).await
    };
    let empty = ask(json!({ "startFromHead": true })).await;
    assert!(messages(&empty).is_empty());
    let now = now_ms();
    client.put("a", &[(now - 5, "1"), (now - 4, "2"), (now - 4, "3"), (now - 3, "4"), (now - 2, "5")]).await;
    assert_eq!(messages(&ask(json!({ "nextToken": empty["nextForwardToken"] })).await), ["1", "2"]);

    let first = ask(json!({ "startFromHead": true })).await;
    assert_eq!(messages(&first), ["1", "2"]);
    let second = ask(json!({ "nextToken": first["nextForwardToken"], "startFromHead": true })).await;
    assert_eq!(messages(&second), ["3", "4"]);
    assert_eq!(messages(&ask(json!({ "nextToken": second["nextBackwardToken"] })).await), ["1", "2"]);
    let third = ask(json!({ "nextToken": second["nextForwardToken"] })).await;
    assert_eq!(messages(&third), ["5"]);
    let end = ask(json!({ "nextToken": third["nextForwardToken"] })).await;
    assert!(messages(&end).is_empty());
    assert_eq!(end["nextForwardToken"], third["nextForwardToken"], "the end answers the token it was given");
    assert_eq!(messages(&ask(json!({ "nextToken": end["nextBackwardToken"] })).await), ["4", "5"]);

    let tail = ask(json!({})).await;
    assert_eq!(messages(&tail), ["4", "5"]);
    let before = ask(json!({ "nextToken": tail["nextBackwardToken"] })).await;
    assert_eq!(messages(&before), ["2", "3"]);
    let window = ask(json!({ "startTime": now - 4, "endTime": now - 3, "startFromHead": true })).await;
    assert_eq!(messages(&window), ["2", "3"], "the end is exclusive");
    let body = json!({ "logGroupName": "/ecs/golden", "logStreamName": "a", "nextToken": "f/x" });
    assert_eq!(client.refused("GetLogEvents", body).await.1, "The specified nextToken is invalid.");
    let body = json!({ "logGroupName": "/ecs/golden", "logStreamName": "none" });
    assert_eq!(client.refused("GetLogEvents", body).await.1, "The specified log stream does not exist.");
}

#[tokio::test]
async fn a_search_goes_over_streams_in_the_order_of_time_and_page_by_page() {
    let client = Client::with_stream(1 << 20).await;
    client.ok("CreateLogStream", json!({ "logGroupName": "/ecs/golden", "logStreamName": "b" })).await;
    let now = now_ms();
    client.put("a", &[(now - 9, r#"{"status":200}"#), (now - 5, r#"{"status":500}"#), (now - 1, "last")]).await;
    client.put("b", &[(now - 7, r#"{"status":503}"#), (now - 5, "tie")]).await;
    let all = client.filter(json!({ "interleaved": true })).await;
    let expected = [r#"{"status":200}"#, r#"{"status":503}"#, r#"{"status":500}"#, "tie", "last"];
    assert_eq!(messages(&all), expected);
    assert_eq!(all["searchedLogStreams"], json!([]));
    let mut paged = Vec::new();
    let mut ids = std::collections::HashSet::new();
    let mut token = Value::Null;
    loop {
        let mut ask = json!({ "limit": 2 });
        if !token.is_null() {
            ask["nextToken"] = token;
        }
        let page = client.filter(ask).await;
        paged.extend(messages(&page).into_iter().map(str::to_owned));
        ids.extend(page["events"].as_array().expect("events").iter().map(|event| event["eventId"].to_string()));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(paged, expected);
    assert_eq!(ids.len(), expected.len());
    let failures = client.filter(json!({ "filterPattern": "{ $.status >= 500 }" })).await;
    assert_eq!(messages(&failures), expected[1..3]);
    assert_eq!(failures["events"][0]["logStreamName"], "b");
    let since = client.filter(json!({ "startTime": now - 5, "endTime": now - 5 })).await;
    assert_eq!(messages(&since), expected[2..4], "both ends are inclusive");
    assert_eq!(messages(&client.filter(json!({ "logStreamNames": ["b"] })).await), [expected[1], "tie"]);
    assert_eq!(messages(&client.filter(json!({ "logStreamNames": ["a", "b"] })).await), expected);
    assert_eq!(messages(&client.filter(json!({ "logStreamNamePrefix": "b" })).await), [expected[1], "tie"]);
    let body = json!({ "logGroupName": "/ecs/golden", "logStreamNames": ["none"] });
    assert_eq!(client.refused("FilterLogEvents", body).await.0, "ResourceNotFoundException");
    let body = json!({ "logGroupName": "/ecs/golden", "filterPattern": "{ $.status >= }" });
    let (code, message) = client.refused("FilterLogEvents", body).await;
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("at position 15"), "{message}");
}

#[tokio::test]
async fn a_full_group_drops_its_oldest_events_and_keeps_count() {
    let client = Client::with_stream(10_000).await;
    client.ok("CreateLogStream", json!({ "logGroupName": "/ecs/golden", "logStreamName": "b" })).await;
    let now = now_ms();
    let message = "x".repeat(1000);
    for stream in ["a", "b"].repeat(10) {
        client.put(stream, &[(now, &message)]).await;
    }
    let kept = messages(&client.filter(json!({})).await).len();
    assert_eq!(kept, 8, "events of 1144 bytes in 10000");
    let groups = client.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["storedBytes"], 8 * 1026);
    let body = json!({ "logGroupName": "/ecs/golden", "logStreamName": "b" });
    assert_eq!(messages(&client.ok("GetLogEvents", body).await).len(), 4);
}

#[tokio::test]
async fn the_awslogs_driver_writes_lines_of_any_length() {
    let client = Client::with_stream(8 << 20).await;
    let line = |timestamp_ms: i64, message: String| LogLine { timestamp_ms, message };
    let missing = client.0.create_stream("/none", "s").await.expect_err("the group is missing");
    assert_eq!(missing.code, "ResourceNotFoundException");
    client.0.create_stream("/ecs/golden", "s").await.expect("the group is there");
    client.0.create_stream("/ecs/golden", "s").await.expect("a stream that is there is used");
    let now = now_ms();
    let long = "é".repeat(600_000);
    let lines = vec![
        line(now, "second".into()),
        line(now - 1, "first".into()),
        line(now, String::new()),
        line(now, long.clone()),
    ];
    client.0.append("/ecs/golden", "s", lines).await.expect("the stream is there");
    let mut found: Vec<String> = Vec::new();
    let mut token = Value::Null;
    loop {
        let ask = if token.is_null() { json!({}) } else { json!({ "nextToken": token }) };
        let page = client.filter(ask).await;
        found.extend(messages(&page).into_iter().map(str::to_owned));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(found[..2], ["first", "second"]);
    assert!(found[2..].len() == 2 && found[2..].concat() == long, "the long line comes in two pieces, whole");
}
