//! OpenTelemetry spans, made directly so that they cost one atomic load when nothing is exported.

use std::{borrow::Cow, fmt::Display, future::Future, sync::OnceLock};

use opentelemetry::{
    Context, InstrumentationScope, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{FutureExt, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_aws::trace::{MissingSampledBehavior, XrayPropagator};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};

use super::{SERVICE_NAME, TelemetryError, TraceHeader, trace_id::PendingIds};

static TRACING: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();

/// Starts exporting to `OTEL_EXPORTER_OTLP_ENDPOINT`. The blocking client is built here, outside the runtime, and used
/// on the batch processor's own thread; its requests make no spans, so the exporter cannot feed itself.
pub(super) fn init(resource: Resource) -> Result<(), TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .build()
        .map_err(|error| TelemetryError::Exporter { exporter: "span", reason: error.to_string() })?;
    let provider = SdkTracerProvider::builder()
        .with_id_generator(PendingIds::default())
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build();
    let tracer = provider.tracer_with_scope(InstrumentationScope::builder(SERVICE_NAME).build());
    TRACING.set((provider, tracer)).map_err(|_| TelemetryError::Twice)
}

pub(super) fn shutdown() {
    if let Some((provider, _)) = TRACING.get()
        && let Err(error) = provider.shutdown()
    {
        tracing::warn!(%error, "the last spans were not sent");
    }
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
pub(crate) struct ServerSpan(Option<Context>);

impl ServerSpan {
    /// Starts the span, named as the semantic conventions for HTTP have it.
    pub(crate) fn start(trace: &TraceHeader, method: &str, route: &'static str, path: &str) -> Self {
        let Some((_, tracer)) = TRACING.get() else { return Self(None) };
        let builder =
            SpanBuilder::from_name(format!("{method} {route}")).with_kind(SpanKind::Server).with_attributes([
                KeyValue::new("http.request.method", method.to_owned()),
                KeyValue::new("http.route", route),
                KeyValue::new("url.path", path.to_owned()),
            ]);
        let parent = if trace.has_parent() {
            // A header without `Sampled` is meant to be followed: the balancer leaves the decision to us.
            XrayPropagator::new()
                .with_missing_sampled_behavior(MissingSampledBehavior::Sampled)
                .extract_with_context(&Context::new(), &OneHeader(trace.as_str()))
        } else {
            trace.hand_over();
            Context::new()
        };
        let span = tracer.build_with_context(builder, &parent);
        Self(Some(parent.with_span(span)))
    }

    /// Makes the span current while `work` runs, so that calls to dependencies hang under it.
    pub(crate) async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.0 {
            None => work.await,
            Some(context) => work.with_context(context.clone()).await,
        }
    }

    /// Ends the span with the reply's status.
    pub(crate) fn finish(&self, status: u16, error_type: Option<&'static str>) {
        let Some(context) = &self.0 else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if let Some(error_type) = error_type {
            span.set_attribute(KeyValue::new("error.type", error_type));
        }
        if status >= 500 {
            span.set_status(Status::error(error_type.unwrap_or_default()));
        }
        span.end();
    }
}

/// Runs a call to a dependency inside a client span.
pub(crate) async fn client_span<T, E: Display>(
    name: impl Into<Cow<'static, str>>,
    attributes: impl FnOnce() -> Vec<KeyValue>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some((_, tracer)) = TRACING.get() else { return work.await };
    let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Client).with_attributes(attributes());
    let parent = Context::current();
    let context = parent.with_span(tracer.build_with_context(builder, &parent));
    let result = work.with_context(context.clone()).await;
    if let Err(error) = &result {
        context.span().set_status(Status::error(error.to_string()));
    }
    context.span().end();
    result
}
