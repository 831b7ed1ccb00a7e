//! Logs, spans and metrics: set up once by `main` before the runtime starts, flushed once after the drain.
//!
//! Promises: with no `OTEL_EXPORTER_OTLP_ENDPOINT` nothing is exported and spans cost nothing; with one, the exporters run
//! on threads of their own, so one async worker is enough and a blocking flush cannot wait for itself.

mod event_layer;
mod filter;
pub(crate) mod log;
mod metrics;
mod spans;
mod trace_id;

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{Registry, layer::SubscriberExt, reload};

use self::filter::Filter;
use crate::{config::Config, identity::Identity};

pub use log::{Log, LogSink};
pub use metrics::Metrics;
pub(crate) use spans::{ServerSpan, aws_span, connect_span, statement_span, traced};
pub(crate) use trace_id::TraceHeader;

/// Name of the service in spans and metrics.
pub const SERVICE_NAME: &str = "golden";

/// The running telemetry; [`Telemetry::shutdown`] ends it.
pub struct Telemetry {
    /// Where log lines go.
    pub log: Log,
    /// The instruments.
    pub metrics: Arc<Metrics>,
    spans: Option<SdkTracerProvider>,
    levels: Levels,
}

/// A telemetry that could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level filter is not one.
    #[error("LOG_LEVEL `{0}` is not a level filter; write one like `info` or `info,sqlx=debug`")]
    Filter(String),
    /// An exporter could not be built.
    #[error("cannot set up the {exporter} exporter: {reason}")]
    Exporter {
        /// Which one.
        exporter: &'static str,
        /// Why.
        reason: String,
    },
    /// A subscriber was there already.
    #[error("telemetry is set up already")]
    Twice,
}

impl Telemetry {
    /// Sets up everything for the process.
    ///
    /// # Errors
    /// [`TelemetryError`] when the filter does not parse or an exporter cannot be built.
    pub fn init(config: &Config, identity: &Identity, sink: LogSink) -> Result<Self, TelemetryError> {
        let exporting = std::env::var(contract::names::env::OTLP_ENDPOINT).is_ok_and(|endpoint| !endpoint.is_empty());
        let filter = Filter::parse(&config.log_level, exporting)?;
        let log = Log::start(sink, &identity.task_id);
        let resource = resource(config, identity, exporting);
        let spans = exporting.then(|| spans::provider(resource.clone())).transpose()?;
        let (filter, handle) = reload::Layer::new(filter);
        let subscriber = Registry::default()
            .with(filter)
            .with(spans.as_ref().map(spans::layer))
            .with(event_layer::EventLayer::new(log.clone()));
        tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Twice)?;
        // OpenTelemetry's own switch, for a collector that takes spans only.
        let metrics_off =
            std::env::var(contract::names::env::METRICS_EXPORTER).is_ok_and(|exporter| exporter == "none");
        let metrics = Arc::new(Metrics::new(resource, exporting && !metrics_off)?);
        Ok(Self { log, metrics, spans, levels: Levels { filter: Some(handle), exporting } })
    }

    /// Telemetry that touches nothing global, for tests: lines go to the sink, nothing is exported.
    ///
    /// # Errors
    /// [`TelemetryError`] as [`Telemetry::init`].
    pub fn detached(identity: &Identity, sink: LogSink) -> Result<Self, TelemetryError> {
        let metrics = Metrics::new(Resource::builder_empty().with_service_name(SERVICE_NAME).build(), false)?;
        let log = Log::start(sink, &identity.task_id);
        Ok(Self { log, metrics: Arc::new(metrics), spans: None, levels: Levels { filter: None, exporting: false } })
    }

    /// The means to read and change the level filter.
    pub fn levels(&self) -> Levels {
        self.levels.clone()
    }

    /// Sends what is still held and ends the exporters. Blocks; call it after the drain, outside the runtime.
    pub fn shutdown(&self) {
        if let Some(spans) = &self.spans
            && let Err(error) = spans.shutdown()
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
        self.metrics.shutdown();
        self.log.flush();
    }
}

/// Reads and changes the level filter of a running process.
#[derive(Clone)]
pub struct Levels {
    filter: Option<reload::Handle<Filter, Registry>>,
    exporting: bool,
}

impl Levels {
    /// The directives in force.
    pub fn current(&self) -> String {
        let held = self.filter.as_ref().and_then(|handle| handle.with_current(Filter::directives).ok());
        held.unwrap_or_else(|| "off".into())
    }

    /// Replaces the directives.
    ///
    /// # Errors
    /// One line that names the value and the mend.
    pub fn set(&self, directives: &str) -> Result<(), String> {
        let filter = Filter::parse(directives, self.exporting).map_err(|error| error.to_string())?;
        let handle = self.filter.as_ref().ok_or("this process has no log level to change")?;
        handle.reload(filter).map_err(|error| error.to_string())
    }
}

fn resource(config: &Config, identity: &Identity, exporting: bool) -> Resource {
    let mut resource = Resource::builder().with_service_name(SERVICE_NAME).with_attributes([
        KeyValue::new("service.version", config.service_version.clone()),
        KeyValue::new("service.instance.id", identity.task_id.clone()),
        KeyValue::new("cloud.availability_zone", identity.availability_zone.clone()),
    ]);
    if exporting {
        // Asks the metadata endpoint, blocking for at most a second a question; nobody reads it without an exporter.
        resource = resource.with_detector(Box::new(opentelemetry_aws::detector::EcsResourceDetector));
    }
    resource.build()
}
