//! `PutTraceSegments`, `PutTelemetryRecords`, and the daemon's datagrams.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::UdpSocket;

use super::client::{Client, now};

fn document(id: &str, more: Value) -> Value {
    let mut document = json!({
        "trace_id": format!("1-{:08x}-a006649127e371903a2de979", now() as u32), "id": id, "name": "example.com",
        "start_time": now() - 1.0, "end_time": now(),
    });
    document.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    document
}

#[tokio::test]
async fn a_bad_document_takes_no_good_one_with_it() {
    let client = Client::new();
    let large = document("70de5b6f19ff9a0c", json!({ "metadata": { "x": "y".repeat(65_536) } }));
    let nameless = document("70de5b6f19ff9a0d", json!({ "name": "" }));
    let documents = [
        document("70de5b6f19ff9a0a", json!({})).to_string(),
        "{".to_owned(),
        large.to_string(),
        nameless.to_string(),
        document("70de5b6f19ff9a0b", json!({ "parent_id": "70de5b6f19ff9a0a" })).to_string(),
    ];
    let answer = client.ok("/TraceSegments", json!({ "TraceSegmentDocuments": documents })).await;
    let unprocessed = answer["UnprocessedTraceSegments"].as_array().expect("a list");
    let told: Vec<_> = unprocessed.iter().map(|it| (it["Id"].as_str(), it["ErrorCode"].as_str())).collect();
    assert_eq!(
        told,
        [
            (None, Some("ParseError")),
            (Some("70de5b6f19ff9a0c"), Some("SegmentTooLarge")),
            (Some("70de5b6f19ff9a0d"), Some("InvalidName")),
        ]
    );
    assert!(unprocessed.iter().all(|it| it["Message"].is_string()));
    let found = client.found("").await;
    assert_eq!(client.documents(found[0]["Id"].as_str().expect("an id")).await.len(), 2);
}

#[tokio::test]
async fn a_segment_in_progress_is_completed() {
    let client = Client::new();
    let open = document("70de5b6f19ff9a0a", json!({ "end_time": null, "in_progress": true }));
    client.ok("/TraceSegments", json!({ "TraceSegmentDocuments": [open.to_string()] })).await;
    assert_eq!(client.found("partial").await.len(), 1);
    // Its subsegment comes alone, before it is complete.
    let inner = document(
        "53995c3f42cd8ad8",
        json!({ "type": "subsegment", "parent_id": "70de5b6f19ff9a0a", "namespace": "remote", "name": "api.example.com" }),
    );
    client.ok("/TraceSegments", json!({ "TraceSegmentDocuments": [inner.to_string()] })).await;
    let done = document("70de5b6f19ff9a0a", json!({ "user": "alice" }));
    client.ok("/TraceSegments", json!({ "TraceSegmentDocuments": [done.to_string()] })).await;
    let found = client.found("!partial AND user = \"alice\" AND edge(\"example.com\", \"api.example.com\")").await;
    assert_eq!(found[0]["Users"][0]["UserName"], "alice");
    let documents = client.documents(found[0]["Id"].as_str().expect("an id")).await;
    assert_eq!(documents[0]["subsegments"][0]["id"], "53995c3f42cd8ad8");
}

#[tokio::test]
async fn a_daemons_counts_are_taken_and_nonsense_is_not() {
    let client = Client::new();
    let records = json!({ "TelemetryRecords": [{ "Timestamp": now(), "SegmentsReceivedCount": 3 }] });
    assert_eq!(client.ok("/TelemetryRecords", records).await, json!({}));
    assert_eq!(client.refused("/TelemetryRecords", json!({})).await.0, "InvalidRequestException");
    assert_eq!(client.refused("/TraceSegments", json!({})).await.0, "InvalidRequestException");
}

#[tokio::test]
async fn datagrams_are_segments_and_bad_ones_are_counted() {
    let client = Client::new();
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let address = socket.local_addr().expect("an address");
    let listening = tokio::spawn(Arc::clone(&client.0).listen_udp(socket));
    let sender = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let good = document("70de5b6f19ff9a0a", json!({}));
    let datagrams = [
        "{\"format\": \"json\", \"version\": 1}\n{".to_owned(),
        "hello".to_owned(),
        format!("{{\"format\": \"json\", \"version\": 1}}\n{good}"),
    ];
    for datagram in &datagrams {
        sender.send_to(datagram.as_bytes(), address).await.expect("sent");
    }
    let arrived = async {
        while client.0.size().0 == 0 {
            tokio::task::yield_now().await;
        }
    };
    let deadline = std::time::Duration::from_secs(10);
    tokio::time::timeout(deadline, arrived).await.expect("the good datagram is kept");
    assert_eq!(client.0.refused_datagrams(), 2);
    listening.abort();
}
