//! Spans of requests and of calls to dependencies: `tracing` spans that a `tracing-opentelemetry` layer exports.
//!
//! Every span of this crate has the target [`TARGET`], which the one global filter lets through only while something is
//! exported (see [`super::filter`]); until then a span costs the relaxed loads that find its callsite disabled. Libraries'
//! spans are never let through, so the exporter's own requests make none and cannot feed it.

use std::{fmt::Display, future::Future};

use opentelemetry::{
    Context, InstrumentationScope,
    propagation::{Extractor, TextMapPropagator},
    trace::TracerProvider,
};
use opentelemetry_aws::trace::{MissingSampledBehavior, XrayPropagator};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use tracing::{Instrument, Span, Subscriber, field::Empty, info_span};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

use super::{SERVICE_NAME, TelemetryError, TraceHeader, trace_id::PendingIds};
use crate::database::Login;

/// Target of every span of ours, and of no event.
pub(super) const TARGET: &str = "golden::span";

/// Exports to `OTEL_EXPORTER_OTLP_ENDPOINT`. The blocking client is built here, outside the runtime, and used on the batch
/// processor's own thread.
pub(super) fn provider(resource: Resource) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .build()
        .map_err(|error| TelemetryError::Exporter { exporter: "span", reason: error.to_string() })?;
    let provider = SdkTracerProvider::builder().with_id_generator(PendingIds::default()).with_resource(resource);
    Ok(provider.with_batch_exporter(exporter).build())
}

/// The layer that turns spans of `tracing` into OpenTelemetry's. Of where in the code and on which thread they were made it
/// tells nothing: that would name a blind mode.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let tracer = provider.tracer_with_scope(InstrumentationScope::builder(SERVICE_NAME).build());
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
}

struct OneHeader<'a>(&'a str);

impl Extractor for OneHeader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        key.eq_ignore_ascii_case(contract::names::header::TRACE_ID).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![contract::names::header::TRACE_ID]
    }
}

/// The span of one request; nothing at all when nothing is exported.
pub(crate) struct ServerSpan(Span);

impl ServerSpan {
    /// Starts the span, named as the semantic conventions for HTTP have it.
    pub(crate) fn start(trace: &TraceHeader, method: &str, route: &'static str, path: &str) -> Self {
        let span = info_span!(
            target: TARGET,
            parent: None,
            "request",
            otel.name = format!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            otel.status_description = Empty,
            http.request.method = method,
            http.response.status_code = Empty,
            http.route = route,
            url.path = path,
            "error.type" = Empty,
        );
        if !span.is_disabled() {
            follow(&span, trace);
        }
        Self(span)
    }

    /// Makes the span current while `work` runs, so that calls to dependencies hang under it.
    pub(crate) fn around<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        work.instrument(self.0.clone())
    }

    /// Notes the reply's status; the span ends when it is dropped.
    pub(crate) fn finish(&self, status: u16, error_type: Option<&'static str>) {
        if self.0.is_disabled() {
            return;
        }
        self.0.record("http.response.status_code", i64::from(status));
        if let Some(error_type) = error_type {
            self.0.record("error.type", error_type);
        }
        if status >= 500 {
            fail(&self.0, error_type.unwrap_or_default());
        }
    }
}

/// Puts the span into the trace that the header names.
fn follow(span: &Span, trace: &TraceHeader) {
    if trace.has_parent() {
        // A header without `Sampled` is meant to be followed: the balancer leaves the decision to us.
        let propagator = XrayPropagator::new().with_missing_sampled_behavior(MissingSampledBehavior::Sampled);
        let parent = propagator.extract_with_context(&Context::new(), &OneHeader(trace.as_str()));
        if let Err(error) = span.set_parent(parent) {
            tracing::debug!(%error, "a span starts a trace of its own");
        }
        return;
    }
    trace.hand_over();
    // Asking for the context starts the span on this very thread, where the id was handed over.
    drop(span.context());
}

fn fail(span: &Span, description: &str) {
    span.record("otel.status_code", "error");
    span.record("otel.status_description", description);
}

/// The span of a call to an AWS service, named `Service/Operation`.
pub(crate) fn aws_span(method: &'static str) -> Span {
    info_span!(
        target: TARGET,
        "aws",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        rpc.system = "aws-api",
        rpc.method = method,
        aws.s3.bucket = Empty,
    )
}

/// The span of a statement in a session that this log-in opened.
pub(crate) fn statement_span(operation: &'static str, table: &'static str, text: &'static str, login: &Login) -> Span {
    info_span!(
        target: TARGET,
        "statement",
        otel.name = format!("{operation} {table}"),
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        db.system.name = "postgresql",
        db.operation.name = operation,
        db.collection.name = table,
        db.query.text = text,
        db.namespace = login.database,
        server.address = login.host,
        server.port = i64::from(login.port),
    )
}

/// The span of a log-in to the database.
pub(crate) fn connect_span(database: &str, host: &str, port: u16) -> Span {
    info_span!(
        target: TARGET,
        "connect",
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        db.system.name = "postgresql",
        db.namespace = database,
        server.address = host,
        server.port = i64::from(port),
    )
}

/// Runs a call to a dependency inside its span and notes an error there.
pub(crate) async fn traced<T, E: Display>(span: Span, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let result = call.instrument(span.clone()).await;
    if let Err(error) = &result
        && !span.is_disabled()
    {
        fail(&span, &error.to_string());
    }
    result
}
