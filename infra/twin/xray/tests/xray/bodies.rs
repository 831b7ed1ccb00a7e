//! OTLP bodies of every kind: protobuf, JSON, gzipped, cut, of no kind at all.

use std::io::Write as _;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceResponse,
    common::v1::{AnyValue, KeyValue, any_value::Value as Any},
    trace::v1::{Span, span::Event},
};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};

use super::client::{Client, PROTOBUF, body, now, request, server, statement, text, trace};

const JSON: &str = "application/json; charset=utf-8";

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

fn spans() -> Vec<Span> {
    let base = now();
    vec![
        statement(trace(1), 0xc3, Some(0xa1), (base, 3, 8)),
        server(trace(1), 0xa1, "/db", 500, Some("Bug"), (base, 0, 9)),
    ]
}

#[tokio::test]
async fn every_encoding_says_the_same() {
    let json = serde_json::to_vec(&request(spans())).expect("JSON");
    for (kind, body) in
        [(PROTOBUF, body(spans())), (PROTOBUF, gzipped(&body(spans()))), (JSON, json.clone()), (JSON, gzipped(&json))]
    {
        let client = Client::new();
        let response = client.0.ingest_otlp(kind, &body);
        assert_eq!(response.status, 200);
        assert_eq!(response.headers["content-type"].to_str().ok(), kind.split(';').next());
        assert_eq!(&response.body[..], if kind == JSON { b"{}".as_slice() } else { b"" });
        assert_eq!(client.found("fault AND service(id(type: \"Database::SQL\"))").await.len(), 1);
    }
}

#[test]
fn a_cut_body_is_refused_and_nothing_of_it_is_kept() {
    let json = serde_json::to_vec(&request(spans())).expect("JSON");
    for (kind, whole) in [(PROTOBUF, body(spans())), (PROTOBUF, gzipped(&body(spans()))), (JSON, json)] {
        let client = Client::new();
        for length in (1..whole.len()).step_by(7) {
            let response = client.0.ingest_otlp(kind, &whole[..length]);
            assert_eq!(response.status, 400, "{length} of {} bytes of {kind}", whole.len());
            assert!(!response.body.is_empty());
            assert_eq!(client.0.size().0, 0);
        }
    }
}

#[test]
fn a_refusal_is_a_status_in_the_callers_encoding() {
    let client = Client::new();
    let response = client.0.ingest_otlp(JSON, b"{\"resourceSpans\":7}");
    let status: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!((response.status, &status["code"]), (400, &json!(3)));
    assert!(status["message"].as_str().is_some_and(|text| text.contains("column")), "{status}");
    let response = client.0.ingest_otlp(PROTOBUF, b"\xff");
    // `google.rpc.Status`: field 1, a varint, is the code; field 2 the message.
    assert_eq!((response.status, &response.body[..3]), (400, [8, 3, 0x12].as_slice()));
    assert_eq!(response.headers["content-type"], PROTOBUF);
    assert_eq!(client.0.ingest_otlp("text/plain", b"").status, 415);
    assert_eq!(client.0.ingest_otlp(PROTOBUF, b"").status, 200, "an empty message is one");
    let bomb = gzipped(&vec![0; 40 << 20]);
    assert_eq!(client.0.ingest_otlp(PROTOBUF, &bomb).status, 413);
}

#[test]
fn bad_spans_are_counted_and_the_rest_is_kept() {
    let mut spans = spans();
    spans.extend([
        Span::default(),
        Span { trace_id: vec![0; 16], ..spans[0].clone() },
        Span { span_id: vec![1; 7], ..spans[0].clone() },
        Span { parent_span_id: vec![1; 9], ..spans[0].clone() },
        Span { attributes: vec![text("big", &"x".repeat(65_536))], span_id: vec![5; 8], ..spans[0].clone() },
    ]);
    let client = Client::new();
    let response = client.0.ingest_otlp(PROTOBUF, &body(spans.clone()));
    let answer = ExportTraceServiceResponse::decode(&response.body[..]).expect("an answer");
    let partial = answer.partial_success.expect("a partial success");
    assert_eq!((response.status, partial.rejected_spans, client.0.size().0), (200, 5, 1));
    let json = serde_json::to_vec(&request(spans)).expect("JSON");
    let answer: Value = serde_json::from_slice(&client.0.ingest_otlp(JSON, &json).body).expect("JSON");
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "5");
}

fn any_value() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Any::StringValue),
        any::<bool>().prop_map(Any::BoolValue),
        any::<i64>().prop_map(Any::IntValue),
        any::<f64>().prop_map(Any::DoubleValue),
        any::<Vec<u8>>().prop_map(Any::BytesValue),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        proptest::collection::vec(inner, 0..4).prop_map(|values| {
            let values = values.into_iter().map(|value| AnyValue { value: Some(value) }).collect();
            Any::ArrayValue(opentelemetry_proto::tonic::common::v1::ArrayValue { values })
        })
    })
}

fn any_attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = proptest::sample::select(vec![
        "http.request.method",
        "http.response.status_code",
        "url.full",
        "url.path",
        "server.address",
        "server.port",
        "rpc.system",
        "rpc.method",
        "db.system.name",
        "db.namespace",
        "db.query.text",
        "error.type",
        "aws.xray.annotations",
        "enduser.id",
        "peer.service",
        "exception.type",
        "exception.stacktrace",
        "x \"y\"",
        "",
    ]);
    let value = prop_oneof![
        proptest::sample::select(vec!["aws-api", "postgresql", "S3/GetObject", "x \"y\"", ""])
            .prop_map(|text| Any::StringValue(text.into())),
        any_value(),
    ];
    let attribute = (key, value).prop_map(|(key, value)| KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    });
    proptest::collection::vec(attribute, 0..8)
}

fn any_span() -> impl Strategy<Value = Span> {
    // Few identifiers, so that spans hang under one another, in circles too.
    let numbers = (1..4_u8, 0..4_u8, 0..7_i32, any::<u64>(), any::<u64>());
    (numbers, any::<String>(), any_attributes(), any_attributes()).prop_map(|(numbers, name, attributes, of_event)| {
        let (id, parent, kind, start, end) = numbers;
        Span {
            trace_id: vec![7; 16],
            span_id: vec![id; 8],
            parent_span_id: vec![parent; 8],
            kind,
            name,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            events: vec![Event { name: "exception".into(), attributes: of_event, ..Event::default() }],
            ..Span::default()
        }
    })
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in any::<Vec<u8>>(), is_json in any::<bool>(), is_gzip in any::<bool>()) {
        let client = Client::new();
        let bytes = if is_gzip { [&[0x1f, 0x8b], bytes.as_slice()].concat() } else { bytes };
        let response = client.0.ingest_otlp(if is_json { JSON } else { PROTOBUF }, &bytes);
        prop_assert!(matches!(response.status, 200 | 400), "{}", response.status);
    }

    #[test]
    fn a_changed_body_is_answered(place in any::<prop::sample::Index>(), byte in any::<u8>(), is_json in any::<bool>()) {
        let client = Client::new();
        let mut bytes = if is_json { serde_json::to_vec(&request(spans())).expect("JSON") } else { body(spans()) };
        let at = place.index(bytes.len());
        bytes[at] = byte;
        let response = client.0.ingest_otlp(if is_json { JSON } else { PROTOBUF }, &bytes);
        prop_assert!(matches!(response.status, 200 | 400), "{}", response.status);
    }

    #[test]
    fn any_spans_can_be_taken_and_read_again(spans in proptest::collection::vec(any_span(), 1..8)) {
        let client = Client::new();
        client.export(spans);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let id = "1-07070707-070707070707070707070707";
            assert!(!client.documents(id).await.is_empty());
            client.ok("/TraceGraph", json!({ "TraceIds": [id] })).await;
            let question = json!({ "StartTime": 0, "EndTime": 80_000, "FilterExpression": "service() { ok } OR !ok" });
            client.ok("/TraceSummaries", question).await;
        });
    }
}
