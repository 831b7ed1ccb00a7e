//! Logs Insights through the API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Client, MINUTE_MS, now_ms};

/// Starts a query over the last hour and waits until it is over.
pub(crate) async fn query(client: &Client, text: &str, more: Value) -> Value {
    let now = now_ms();
    let mut body = json!({
        "logGroupName": "/ecs/golden", "queryString": text, "startTime": now / 1000 - 3600, "endTime": now / 1000,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let started = client.ok("StartQuery", body).await;
    finished(client, started["queryId"].as_str().expect("an id")).await
}

async fn finished(client: &Client, id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = client.ok("GetQueryResults", json!({ "queryId": id })).await;
        if !matches!(answer["status"].as_str(), Some("Scheduled" | "Running")) {
            return answer;
        }
        assert!(Instant::now() < deadline, "the query does not end: {answer}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Rows as `name=value` joined by blanks, without `@ptr`.
pub(crate) fn rows(answer: &Value) -> Vec<String> {
    let text = |field: &Value, key: &str| field[key].as_str().expect("text").to_owned();
    let row = |row: &Value| {
        let fields = row.as_array().expect("fields").iter().filter(|field| field["field"] != "@ptr");
        fields.map(|field| format!("{}={}", text(field, "field"), text(field, "value"))).collect::<Vec<_>>().join(" ")
    };
    answer["results"].as_array().expect("results").iter().map(row).collect()
}

async fn filled() -> Client {
    let client = Client::with_stream(1 << 20).await;
    let now = now_ms();
    let lines = [r#"{"status":200,"path":"/"}"#, r#"{"status":500,"path":"/db"}"#, r#"{"status":503,"path":"/db"}"#];
    let events: Vec<(i64, &str)> =
        lines.iter().zip([3, 2, 1]).map(|(line, ago)| (now - ago * MINUTE_MS, *line)).collect();
    client.put("a", &events).await;
    client
}

#[tokio::test]
async fn a_query_is_started_looked_at_and_listed() {
    let client = filled().await;
    let answer = query(&client, "filter status >= 500 | stats count(*) as errors by path", json!({})).await;
    assert_eq!(rows(&answer), ["path=/db errors=2"]);
    assert_eq!((answer["status"].as_str(), answer["queryLanguage"].as_str()), (Some("Complete"), Some("CWLI")));
    let statistics = &answer["statistics"];
    assert_eq!([&statistics["recordsMatched"], &statistics["recordsScanned"]], [&json!(2.0), &json!(3.0)]);
    assert_eq!(statistics["bytesScanned"], 79.0);

    let limited = query(&client, "fields status", json!({ "limit": 1 })).await;
    assert_eq!(rows(&limited), ["status=503"], "the newest comes first");
    let older = json!({ "endTime": now_ms() / 1000 - 150 });
    assert_eq!(rows(&query(&client, "fields status", older).await), ["status=200"]);
    let listed = client.ok("DescribeQueries", json!({ "status": "Complete", "maxResults": 2 })).await;
    assert_eq!(listed["queries"].as_array().map(Vec::len), Some(2));
    assert_eq!(listed["queries"][0]["queryString"], "fields status");
    assert_eq!(listed["nextToken"], "2");
    assert_eq!(client.ok("DescribeQueries", json!({ "status": "Failed" })).await["queries"], json!([]));

    let page = query(&client, "fields status | sort status asc", json!({})).await;
    let pointer = page["results"][0].as_array().and_then(|row| row.last()).expect("a pointer")["value"].clone();
    let record = client.ok("GetLogRecord", json!({ "logRecordPointer": pointer })).await;
    assert_eq!((&record["logRecord"]["status"], &record["logRecord"]["path"]), (&json!("200"), &json!("/")));
    assert_eq!(record["logRecord"]["@logStream"], "a");
    client.refused("GetLogRecord", json!({ "logRecordPointer": "é".repeat(40) })).await;
}

#[tokio::test]
async fn several_groups_are_searched_together_and_results_come_in_pages() {
    let client = filled().await;
    client.ok("CreateLogGroup", json!({ "logGroupName": "/other" })).await;
    client.ok("CreateLogStream", json!({ "logGroupName": "/other", "logStreamName": "s" })).await;
    let event = json!([{ "timestamp": now_ms() - 150_000, "message": "between" }]);
    client.ok("PutLogEvents", json!({ "logGroupName": "/other", "logStreamName": "s", "logEvents": event })).await;
    let groups = json!({ "logGroupName": null, "logGroupNames": ["/ecs/golden", "/other"] });
    let answer = query(&client, "fields @log, status", groups).await;
    let expected = [
        "@log=123456789012:/ecs/golden status=503",
        "@log=123456789012:/ecs/golden status=500",
        "@log=123456789012:/other",
        "@log=123456789012:/ecs/golden status=200",
    ];
    assert_eq!(rows(&answer), expected);
    let listed = client.ok("DescribeQueries", json!({})).await;
    let id = &listed["queries"][0]["queryId"];
    let first = client.ok("GetQueryResults", json!({ "queryId": id, "maxItems": 3 })).await;
    let token = &first["nextToken"];
    let second = client.ok("GetQueryResults", json!({ "queryId": id, "maxItems": 3, "nextToken": token })).await;
    assert_eq!([rows(&first), rows(&second)].concat(), expected);
    assert_eq!(second["nextToken"], Value::Null);
}

#[tokio::test]
async fn a_query_that_does_not_parse_is_refused_with_its_place() {
    let client = filled().await;
    let ask = |text: &str| json!({ "logGroupName": "/ecs/golden", "startTime": 0, "endTime": 1, "queryString": text });
    let (status, answer) = client.call("StartQuery", ask("fields @message | filtre x")).await;
    assert_eq!((status, answer["__type"].as_str()), (400, Some("MalformedQueryException")));
    let location = json!({ "startCharOffset": 18, "endCharOffset": 24 });
    assert_eq!(answer["queryCompileError"]["location"], location);
    let message = answer["message"].as_str().expect("a message");
    assert!(
        message.contains("unexpected symbol found filtre") && message.ends_with("line 1 and position 19"),
        "{message}"
    );
    let (_, message) = client.refused("StartQuery", ask("SOURCE logGroups(namePrefix: [\"a\"])")).await;
    assert!(message.contains("'source' is not imitated"), "{message}");

    let mut body = ask("fields @message");
    body["queryLanguage"] = "SQL".into();
    assert_eq!(client.refused("StartQuery", body.clone()).await.0, "NotImplemented");
    body["queryLanguage"] = "CWLI".into();
    body["logGroupNames"] = json!(["/ecs/golden"]);
    assert_eq!(client.refused("StartQuery", body.clone()).await.0, "InvalidParameterException");
    body["logGroupName"] = Value::Null;
    body["logGroupNames"] = json!(["/none"]);
    assert_eq!(client.refused("StartQuery", body.clone()).await.0, "ResourceNotFoundException");
    body["endTime"] = json!(-1);
    assert_eq!(client.refused("StartQuery", body).await.0, "InvalidParameterException");
    assert_eq!(client.refused("GetQueryResults", json!({ "queryId": "none" })).await.0, "ResourceNotFoundException");
    assert_eq!(client.refused("StopQuery", json!({ "queryId": "none" })).await.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_query_that_is_stopped_stays_stopped() {
    let client = filled().await;
    let body =
        json!({ "logGroupName": "/ecs/golden", "startTime": 0, "endTime": now_ms(), "queryString": "fields status" });
    // On this one thread nothing runs before the first await that waits, so the query is still there to be stopped.
    let started = client.ok("StartQuery", body).await;
    let id = started["queryId"].as_str().expect("an id");
    assert_eq!(client.ok("StopQuery", json!({ "queryId": id })).await["success"], true);
    let answer = finished(&client, id).await;
    assert_eq!((answer["status"].as_str(), rows(&answer)), (Some("Cancelled"), Vec::new()));
    let (code, message) = client.refused("StopQuery", json!({ "queryId": id })).await;
    assert_eq!((code.as_str(), message.as_str()), ("InvalidParameterException", "The specified query is not running."));
}

#[tokio::test]
async fn queries_are_saved_listed_and_deleted() {
    let client = Client::with_stream(1 << 20).await;
    let body =
        json!({ "name": "golden/errors", "queryString": "filter status >= 500", "logGroupNames": ["/ecs/golden"] });
    let id = client.ok("PutQueryDefinition", body.clone()).await["queryDefinitionId"].clone();
    let mut changed = body.clone();
    changed["queryDefinitionId"] = id.clone();
    changed["queryString"] = "filter status >= 400".into();
    assert_eq!(client.ok("PutQueryDefinition", changed).await["queryDefinitionId"], id);
    let listed = client.ok("DescribeQueryDefinitions", json!({ "queryDefinitionNamePrefix": "golden/" })).await;
    assert_eq!(listed["queryDefinitions"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["queryDefinitions"][0]["queryString"], "filter status >= 400");
    assert_eq!(client.ok("DeleteQueryDefinition", json!({ "queryDefinitionId": id })).await["success"], true);
    assert_eq!(
        client.refused("DeleteQueryDefinition", json!({ "queryDefinitionId": id })).await.0,
        "ResourceNotFoundException"
    );
}
