//! The faulty ones among a thousand, told apart by filter expressions.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::{
    common::v1::any_value::Value as Any,
    trace::v1::{Status, status::StatusCode},
};

use super::client::{Client, attribute, aws, balancer, list, now, server, statement, text, trace};

/// Every tenth request fails at the database, every 25th is throttled by Secrets Manager and served nevertheless, every 40th is slow,
/// every 50th asks for what is not there.
async fn thousand() -> Client {
    let client = Client::new();
    let base = now() - 60.0;
    for batch in 0..10 {
        let mut spans = Vec::new();
        for number in batch * 100..(batch + 1) * 100_u64 {
            let id = trace(number + 1);
            let at = |start, end| (base + number as f64 / 100.0, start, end);
            let status = match number {
                _ if number % 10 == 0 => 503,
                _ if number % 50 == 7 => 404,
                _ => 200,
            };
            let took = if number % 40 == 3 { 2_000 } else { 20 };
            let error = (status == 503).then_some("DatabaseAuth");
            let mut request = server(id, 0xa1, "/db", status, error, at(1, took));
            request.attributes.push(text("tenant", if number % 2 == 0 { "even" } else { "odd" }));
            request.attributes.push(attribute("aws.xray.annotations", Any::ArrayValue(list(&["tenant"]))));
            let mut query = statement(id, 0xc3, Some(0xa1), at(2, 10));
            if status == 503 {
                let message = "28P01 password authentication failed".into();
                query.status = Some(Status { code: StatusCode::Error as i32, message });
            }
            let mut secret = aws(id, 0xc1, Some(0xa1), "SecretsManager/GetSecretValue", at(1, 2));
            if number % 25 == 1 {
                secret.attributes.push(text("error.type", "ThrottlingException"));
                secret.status = Some(Status { code: StatusCode::Error as i32, message: String::new() });
            }
            spans.extend([secret, query, request]);
            client.0.record(balancer(id, 0xb1, status.try_into().expect("a status"), at(0, took + 1)));
        }
        client.export(spans);
    }
    client
}

#[tokio::test]
async fn a_filter_expression_finds_exactly_those_it_describes() {
    let client = thousand().await;
    let all = client.found("").await;
    let ids: BTreeSet<_> = all.iter().map(|summary| summary["Id"].as_str().expect("an id")).collect();
    assert_eq!((all.len(), ids.len()), (1000, 1000), "each on one page");
    let starts: Vec<_> = all.iter().map(|summary| summary["StartTime"].as_f64().expect("a time")).collect();
    assert!(starts.is_sorted_by(|a, b| a >= b), "the most recent first");
    for (filter, count) in [
        ("fault", 100),
        ("fault = true AND http.status = 503", 100),
        ("error", 20),
        ("ok", 880),
        ("http.status >= 400", 120),
        ("service(\"golden\") { fault }", 100),
        ("service(id(type: \"Database::SQL\")) { fault }", 100),
        ("edge(\"golden\", id(type: \"Database::SQL\")) { fault }", 100),
        ("throttle", 0),
        ("service() { throttle }", 40),
        ("edge(\"golden\", \"SecretsManager\") { throttle } AND ok", 40),
        ("responsetime > 1", 25),
        ("duration > 1 AND fault", 0),
        ("annotation.tenant = \"even\"", 500),
        ("annotation.tenant = \"even\" AND fault", 100),
        ("annotation.tenant = \"odd\" (fault OR error)", 20),
        ("http.url ENDSWITH \"/db\" AND NOT ok", 120),
        ("service(\"golden\") { http.url = \"/db\" AND responsetime > 1 }", 25),
        ("partial", 0),
    ] {
        assert_eq!(client.found(filter).await.len(), count, "{filter}");
    }
}

#[tokio::test]
async fn a_faulty_trace_says_why() {
    let client = thousand().await;
    let faulty = client.found("fault").await;
    let documents = client.documents(faulty[0]["Id"].as_str().expect("an id")).await;
    let golden = documents.iter().find(|document| document["name"] == "golden").expect("golden");
    assert_eq!(golden["cause"]["exceptions"][0]["type"], "DatabaseAuth");
    let query = &golden["subsegments"][1];
    assert_eq!(query["fault"], true);
    let exception = &query["cause"]["exceptions"][0];
    assert_eq!(exception["message"], "28P01 password authentication failed");
    assert_eq!(exception["remote"], true);
    assert_eq!(golden["annotations"]["tenant"], "even");
}
