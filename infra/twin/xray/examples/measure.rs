//! What taking and reading traces costs, and what the store weighs. Run it optimised:
//! `cargo run --release -p twin-xray --example measure`. Figures go to standard error.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind},
};
use prost::Message as _;
use twin_platform::{Account, Request, Service as _};
use twin_xray::{Http, LOAD_BALANCER_ORIGIN, Segment, SegmentId, TraceId, XRay};

/// Traces that are sent: more than fit.
const TRACES: u64 = 200_000;
/// Spans in a batch of golden's exporter.
const BATCH: usize = 512;

fn main() -> std::io::Result<()> {
    let before = resident_bytes();
    let xray = XRay::new(Account::in_region("us-east-1"));
    let now = time::OffsetDateTime::now_utc().unix_timestamp() as u64;
    let bodies: Vec<Vec<u8>> = batches(now).map(|batch| batch.encode_to_vec()).collect();
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    let with_bodies = resident_bytes();

    let (name, origin): (Arc<str>, Arc<str>) = ("golden-alb".into(), LOAD_BALANCER_ORIGIN.into());
    let (mut otlp, mut record) = (Duration::ZERO, Duration::ZERO);
    let mut recorded = 0;
    for (nth, body) in bodies.iter().enumerate() {
        let started = Instant::now();
        assert_eq!(xray.ingest_otlp("application/x-protobuf", body).status, 200);
        otlp += started.elapsed();
        let sent = (((nth + 1) * BATCH / 3) as u64).min(TRACES);
        let started = Instant::now();
        for number in recorded..sent {
            xray.record(balancer(now, number, &name, &origin));
        }
        record += started.elapsed();
        recorded = sent;
    }
    let spans = TRACES * 3;
    let each = |time: Duration, count: u64| time.as_secs_f64() * 1e6 / count as f64;
    eprintln!("OTLP: {spans} spans, {} bytes each, {:.2} us a span", bytes as u64 / spans, each(otlp, spans));
    eprintln!("record: {:.2} us a segment", each(record, TRACES));
    let (traces, bytes) = xray.size();
    let resident = (resident_bytes() - with_bodies) >> 20;
    eprintln!("store: {traces} traces, {} MiB by its own count, {resident} MiB resident", bytes >> 20);
    eprintln!("before: {} MiB, bodies: {} MiB", before >> 20, (with_bodies - before) >> 20);

    let runtime = tokio::runtime::Runtime::new()?;
    let range = format!("\"StartTime\":{},\"EndTime\":{}", now - 3600, now + 3600);
    for (path, body) in [
        ("/TraceSummaries", format!("{{{range}}}")),
        ("/TraceSummaries", format!("{{{range},\"FilterExpression\":\"service(\\\"golden\\\") {{ fault }}\"}}")),
        ("/ServiceGraph", format!("{{\"StartTime\":{},\"EndTime\":{}}}", now - 3600, now + 3600)),
    ] {
        let request =
            Request { method: "POST".into(), uri: path.into(), headers: Default::default(), body: body.clone().into() };
        let started = Instant::now();
        let response = runtime.block_on(xray.handle(request));
        let millis = started.elapsed().as_secs_f64() * 1e3;
        eprintln!("{path} {body}: {} {} bytes in {millis:.1} ms", response.status, response.body.len());
    }
    Ok(())
}

fn balancer(now: u64, number: u64, name: &Arc<str>, origin: &Arc<str>) -> Segment {
    let id = SegmentId::from_bytes((number | 1 << 63).to_be_bytes()).unwrap_or_else(|| unreachable!());
    let trace = TraceId::from_bytes(trace_id(now, number)).unwrap_or_else(|| unreachable!());
    let mut segment = Segment::new(trace, id, Arc::clone(name), now as f64);
    segment.end_time = Some(now as f64 + 0.1);
    segment.origin = Some(Arc::clone(origin));
    segment.http = Some(Box::new(Http {
        method: Some("GET".into()),
        url: Some("http://127.0.0.1:8080/db".into()),
        user_agent: Some("load/0.1".into()),
        client_ip: Some("127.0.0.1".into()),
        status: Some(200),
        content_length: Some(120),
    }));
    segment
}

fn trace_id(now: u64, number: u64) -> [u8; 16] {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&(now as u32).to_be_bytes());
    id[8..].copy_from_slice(&(number + 1).to_be_bytes());
    id
}

/// `GET /db`: the request, the secret, the statement.
fn batches(now: u64) -> impl Iterator<Item = ExportTraceServiceRequest> {
    let spans = (0..TRACES).flat_map(move |number| {
        let at = now * 1_000_000_000 + 1_000_000;
        let span = |id: u8, parent: Option<u8>, kind: SpanKind, name: &str, attributes: Vec<KeyValue>| Span {
            trace_id: trace_id(now, number).to_vec(),
            span_id: vec![id; 8],
            parent_span_id: parent.map(|id| vec![id; 8]).unwrap_or_default(),
            kind: kind as i32,
            name: name.into(),
            start_time_unix_nano: at,
            end_time_unix_nano: at + 50_000_000,
            attributes,
            ..Span::default()
        };
        let rpc = vec![text("rpc.system", "aws-api"), text("rpc.method", "SecretsManager/GetSecretValue")];
        let statement = vec![
            text("db.system.name", "postgresql"),
            text("db.operation.name", "UPDATE"),
            text("db.collection.name", "visits"),
            text("db.query.text", "UPDATE visits SET count = count + 1 WHERE id = $1 RETURNING count"),
        ];
        let status = if number % 100 == 0 { 503 } else { 200 };
        let request = vec![
            text("http.request.method", "GET"),
            text("http.route", "/db"),
            text("url.path", "/db"),
            KeyValue {
                key: "http.response.status_code".into(),
                value: Some(AnyValue { value: Some(Value::IntValue(status)) }),
                ..KeyValue::default()
            },
        ];
        [
            span(2, Some(1), SpanKind::Client, "SecretsManager/GetSecretValue", rpc),
            span(3, Some(1), SpanKind::Client, "UPDATE visits", statement),
            span(1, None, SpanKind::Server, "GET /db", request),
        ]
    });
    let mut spans = spans.peekable();
    std::iter::from_fn(move || {
        spans.peek()?;
        let spans = spans.by_ref().take(BATCH).collect();
        let attributes = vec![
            text("service.name", "golden"),
            text("service.version", "0.1.0"),
            text("service.instance.id", "0f3a"),
            text("cloud.provider", "aws"),
            text("cloud.platform", "aws_ecs"),
            text("aws.ecs.task.arn", "arn:aws:ecs:us-east-1:123456789012:task/golden/0f3a"),
        ];
        let resource = Some(Resource { attributes, ..Resource::default() });
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
        Some(ExportTraceServiceRequest { resource_spans })
    })
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

/// Linux's own count; 0 elsewhere.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}
