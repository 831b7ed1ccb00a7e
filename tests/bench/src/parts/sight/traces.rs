//! What taking a span costs: batches as golden's exporter sends them, more than the store holds, so that old traces go too.

use std::time::{Duration, Instant};

use anyhow::ensure;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind},
};
use prost::Message as _;
use time::OffsetDateTime;
use twin_platform::Account;
use twin_xray::XRay;

use crate::figure::{Goal, Report};

/// Spans in a batch of golden's exporter.
const BATCH: u64 = 512;
const BATCHES: u64 = 300;
const ROUNDS: u64 = 3;

pub(super) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let xray = XRay::new(Account::in_region("us-east-1"));
    let now_s = OffsetDateTime::now_utc().unix_timestamp().unsigned_abs();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let mut elapsed = Duration::ZERO;
        for batch in 0..BATCHES {
            let body = batch_of(now_s, (round * BATCHES + batch) * BATCH).encode_to_vec();
            let began = Instant::now();
            let answer = xray.ingest_otlp("application/x-protobuf", &body);
            elapsed += began.elapsed();
            ensure!(answer.status == 200 && answer.body.is_empty(), "{}", answer.status);
        }
        #[allow(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
        rounds.push(elapsed.as_secs_f64() * 1e6 / (BATCHES * BATCH) as f64);
    }
    report.add("otlp_span", "OTLP ingestion into a full store, microseconds a span", Goal::None, rounds);
    Ok(())
}

/// Of each `GET /db` three spans: the request, the secret, the statement.
fn batch_of(now_s: u64, first: u64) -> ExportTraceServiceRequest {
    let spans = (first..first + BATCH).map(|number| span(now_s, number / 3, number % 3)).collect();
    let attributes = [
        ("service.name", "golden"),
        ("service.version", "0.1.0"),
        ("service.instance.id", "0f3a"),
        ("cloud.provider", "aws"),
        ("cloud.platform", "aws_ecs"),
        ("aws.ecs.task.arn", "arn:aws:ecs:us-east-1:123456789012:task/golden/0f3a"),
    ];
    let resource = Some(Resource { attributes: attributes.map(text).into(), ..Resource::default() });
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
    }
}

fn span(now_s: u64, trace: u64, nth: u64) -> Span {
    let mut trace_id = [7; 16];
    trace_id[..4].copy_from_slice(&now_s.to_be_bytes()[4..]);
    trace_id[8..].copy_from_slice(&(trace + 1).to_be_bytes());
    let (name, attributes) = match nth {
        0 => ("SecretsManager/GetSecretValue", SECRET),
        1 => ("UPDATE visits", STATEMENT),
        _ => ("GET /db", REQUEST),
    };
    let mut attributes: Vec<_> = attributes.iter().copied().map(text).collect();
    if nth == 2 {
        let status = Some(AnyValue { value: Some(Value::IntValue(if trace.is_multiple_of(100) { 503 } else { 200 })) });
        attributes.push(KeyValue { key: "http.response.status_code".into(), value: status, ..KeyValue::default() });
    }
    let started = now_s * 1_000_000_000 + 1_000_000;
    Span {
        trace_id: trace_id.into(),
        span_id: vec![u8::try_from(nth + 1).unwrap_or(1); 8],
        parent_span_id: if nth == 2 { Vec::new() } else { vec![3; 8] },
        kind: if nth == 2 { SpanKind::Server } else { SpanKind::Client } as i32,
        name: name.into(),
        start_time_unix_nano: started,
        end_time_unix_nano: started + 50_000_000,
        attributes,
        ..Span::default()
    }
}

const SECRET: &[(&str, &str)] = &[("rpc.system", "aws-api"), ("rpc.method", "SecretsManager/GetSecretValue")];
const STATEMENT: &[(&str, &str)] = &[
    ("db.system.name", "postgresql"),
    ("db.operation.name", "UPDATE"),
    ("db.collection.name", "visits"),
    ("db.query.text", "UPDATE visits SET count = count + 1 WHERE id = $1 RETURNING count"),
    ("db.namespace", "golden"),
    ("server.address", "127.0.0.1"),
];
const REQUEST: &[(&str, &str)] = &[("http.request.method", "GET"), ("http.route", "/db"), ("url.path", "/db")];

fn text((key, value): (&str, &str)) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}
