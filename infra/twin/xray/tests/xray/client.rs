//! A client of one service in memory, and spans as golden's exporter sends them.

use std::sync::Arc;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use serde_json::{Value, json};
use twin_platform::{Account, Request, Service as _};
use twin_xray::{Http, LOAD_BALANCER_ORIGIN, Segment, SegmentId, TraceId, XRay};

pub(super) const PROTOBUF: &str = "application/x-protobuf";

pub(super) struct Client(pub(super) Arc<XRay>);

impl Client {
    pub(super) fn new() -> Self {
        Self(XRay::new(Account::in_region("us-east-1")))
    }

    pub(super) async fn call(&self, path: &str, body: Value) -> (u16, Value) {
        let request = Request {
            method: "POST".into(),
            uri: path.into(),
            headers: Default::default(),
            body: body.to_string().into_bytes().into(),
        };
        let response = self.0.handle(request).await;
        assert_eq!(response.headers["content-type"], "application/json", "{path}");
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    pub(super) async fn ok(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(super) async fn refused(&self, path: &str, body: Value) -> (String, String) {
        let (status, answer) = self.call(path, body).await;
        assert!(status >= 400, "{path}: {answer}");
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    /// Summaries of the hour around now, over all pages.
    pub(super) async fn found(&self, filter: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut question =
            json!({ "StartTime": now() - 1800.0, "EndTime": now() + 1800.0, "FilterExpression": filter });
        loop {
            let page = self.ok("/TraceSummaries", question.clone()).await;
            found.extend(page["TraceSummaries"].as_array().expect("a list").iter().cloned());
            match page.get("NextToken") {
                Some(token) => question["NextToken"] = token.clone(),
                None => return found,
            }
        }
    }

    /// The documents of one trace.
    pub(super) async fn documents(&self, id: &str) -> Vec<Value> {
        let answer = self.ok("/Traces", json!({ "TraceIds": [id] })).await;
        let segments = answer["Traces"][0]["Segments"].as_array().expect("a list");
        let document = |segment: &Value| {
            let document: Value = serde_json::from_str(segment["Document"].as_str().expect("a text")).expect("JSON");
            assert_eq!(document["id"], segment["Id"]);
            document
        };
        segments.iter().map(document).collect()
    }

    pub(super) fn export(&self, spans: Vec<Span>) {
        let response = self.0.ingest_otlp(PROTOBUF, &body(spans));
        assert_eq!((response.status, response.body.len()), (200, 0), "nothing is rejected");
    }
}

pub(super) fn now() -> f64 {
    time::OffsetDateTime::now_utc().unix_timestamp_nanos() as f64 / 1e9
}

/// Sixteen bytes that begin with the current second, as an X-Ray id does.
pub(super) fn trace(number: u64) -> [u8; 16] {
    let mut id = [0xab; 16];
    id[..4].copy_from_slice(&(now() as u32).to_be_bytes());
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.into()))
}

pub(super) fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Any::IntValue(value))
}

pub(super) fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A span of `trace`, from `start_ms` to `end_ms` after the base.
pub(super) fn span(
    trace: [u8; 16],
    id: u64,
    parent: Option<u64>,
    kind: SpanKind,
    name: &str,
    at: (f64, u64, u64),
) -> Span {
    let (base, start_ms, end_ms) = at;
    let nanos = |ms: u64| (base * 1e9) as u64 + ms * 1_000_000;
    Span {
        trace_id: trace.to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: parent.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default(),
        kind: kind as i32,
        name: name.into(),
        start_time_unix_nano: nanos(start_ms),
        end_time_unix_nano: nanos(end_ms),
        ..Span::default()
    }
}

/// What golden's `ServerSpan` says of a request.
pub(super) fn server(
    trace: [u8; 16],
    id: u64,
    route: &str,
    status: i64,
    error: Option<&str>,
    at: (f64, u64, u64),
) -> Span {
    let mut span = span(trace, id, None, SpanKind::Server, &format!("GET {route}"), at);
    span.attributes = vec![
        text("http.request.method", "GET"),
        text("http.route", route),
        text("url.path", route),
        number("http.response.status_code", status),
    ];
    span.attributes.extend(error.map(|error| text("error.type", error)));
    if status >= 500 {
        span.status = Some(Status { code: StatusCode::Error as i32, message: error.unwrap_or_default().into() });
    }
    span
}

/// What golden's `aws_span` says of a call.
pub(super) fn aws(trace: [u8; 16], id: u64, parent: Option<u64>, method: &str, at: (f64, u64, u64)) -> Span {
    let mut span = span(trace, id, parent, SpanKind::Client, method, at);
    span.attributes = vec![text("rpc.system", "aws-api"), text("rpc.method", method)];
    span
}

/// What golden's `connect_span` says of a log-in.
pub(super) fn connect(trace: [u8; 16], id: u64, parent: Option<u64>, at: (f64, u64, u64)) -> Span {
    let mut span = span(trace, id, parent, SpanKind::Client, "connect", at);
    span.attributes = vec![
        text("db.system.name", "postgresql"),
        text("db.namespace", "golden"),
        text("server.address", "127.0.0.1"),
        number("server.port", 5432),
    ];
    span
}

/// What golden's `statement_span` says of a statement.
pub(super) fn statement(trace: [u8; 16], id: u64, parent: Option<u64>, at: (f64, u64, u64)) -> Span {
    let mut span = span(trace, id, parent, SpanKind::Client, "UPDATE visits", at);
    span.attributes = vec![
        text("db.system.name", "postgresql"),
        text("db.operation.name", "UPDATE"),
        text("db.collection.name", "visits"),
        text("db.query.text", "UPDATE visits SET count = count + 1 WHERE id = $1 RETURNING count"),
    ];
    span
}

/// A batch of golden's, as its exporter encodes it.
pub(super) fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let attributes = vec![
        text("service.name", "golden"),
        text("service.version", "1.2.3"),
        text("service.instance.id", "0f3a"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.language", "rust"),
        text("telemetry.sdk.version", "0.33.1"),
        text("cloud.provider", "aws"),
        text("cloud.platform", "aws_ecs"),
        text("cloud.availability_zone", "us-east-1a"),
        text("container.id", "c0ffee"),
        text("aws.ecs.cluster.arn", "arn:aws:ecs:us-east-1:123456789012:cluster/golden"),
        text("aws.ecs.task.arn", "arn:aws:ecs:us-east-1:123456789012:task/golden/0f3a"),
        attribute("aws.log.group.names", Any::ArrayValue(list(&["/ecs/golden"]))),
    ];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope { name: "golden".into(), ..InstrumentationScope::default() }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

pub(super) fn list(texts: &[&str]) -> opentelemetry_proto::tonic::common::v1::ArrayValue {
    let value = |text: &&str| AnyValue { value: Some(Any::StringValue((*text).to_owned())) };
    opentelemetry_proto::tonic::common::v1::ArrayValue { values: texts.iter().map(value).collect() }
}

pub(super) fn body(spans: Vec<Span>) -> Vec<u8> {
    request(spans).encode_to_vec()
}

/// The balancer's own segment for a request to golden.
pub(super) fn balancer(trace: [u8; 16], id: u64, status: u16, at: (f64, u64, u64)) -> Segment {
    let (base, start_ms, end_ms) = at;
    let trace = TraceId::from_bytes(trace).expect("an id");
    let id = SegmentId::from_bytes(id.to_be_bytes()).expect("an id");
    let mut segment = Segment::new(trace, id, "golden-alb", base + start_ms as f64 / 1e3);
    segment.end_time = Some(base + end_ms as f64 / 1e3);
    segment.origin = Some(LOAD_BALANCER_ORIGIN.into());
    segment.judge(status);
    segment.http = Some(Box::new(Http {
        method: Some("GET".into()),
        url: Some("http://127.0.0.1:8080/db".into()),
        user_agent: Some("curl/8.5".into()),
        client_ip: Some("127.0.0.1".into()),
        status: Some(status),
        content_length: Some(120),
    }));
    segment
}
