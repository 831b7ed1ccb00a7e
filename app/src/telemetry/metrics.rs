//! The instruments, and their text for Prometheus.

use std::{collections::HashMap, time::Duration};

use arc_swap::ArcSwap;
use opentelemetry::{
    KeyValue,
    metrics::{BoundHistogram, Histogram, Meter, MeterProvider},
};
use opentelemetry_otlp::{MetricExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};
use prometheus::{Registry, TextEncoder};

use super::{SERVICE_NAME, TelemetryError};

/// Bounds in seconds, from the semantic convention for `http.server.request.duration` with the drill's longer waits added;
/// the SDK's own bounds are meant for milliseconds.
const SECONDS: [f64; 16] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0];

/// The instruments of the process.
pub struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
    meter: Meter,
    duration: Histogram<f64>,
    /// The series of `duration` that were written to: to find one by its attributes costs more than to add to it.
    series: ArcSwap<HashMap<Series, BoundHistogram<f64>>>,
}

/// Method, route and status; each from a closed list, so their number is bounded.
type Series = (&'static str, &'static str, u16);

impl Metrics {
    pub(super) fn new(resource: Resource, exporting: bool) -> Result<Self, TelemetryError> {
        let failed = |exporter: &'static str, reason: String| TelemetryError::Exporter { exporter, reason };
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .build()
            .map_err(|error| failed("Prometheus", error.to_string()))?;
        let mut provider = SdkMeterProvider::builder().with_resource(resource).with_reader(reader);
        if exporting {
            let exporter = MetricExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .build()
                .map_err(|error| failed("metric", error.to_string()))?;
            provider = provider.with_periodic_exporter(exporter);
        }
        let provider = provider.build();
        let meter = provider.meter(SERVICE_NAME);
        let duration = meter
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_description("Time from the request's head to the reply's head.")
            .with_boundaries(SECONDS.to_vec())
            .build();
        Ok(Self { provider, registry, meter, duration, series: ArcSwap::default() })
    }

    /// For observable instruments, registered by whoever owns the value.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// One request.
    pub(crate) fn request(&self, method: &'static str, route: &'static str, status: u16, latency: Duration) {
        let series = (method, route, status);
        let known = self.series.load();
        if let Some(duration) = known.get(&series) {
            return duration.record(latency.as_secs_f64());
        }
        let duration = self.duration.bind(&[
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.response.status_code", i64::from(status)),
            KeyValue::new("http.route", route),
        ]);
        duration.record(latency.as_secs_f64());
        self.series.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(series, duration.clone());
            known
        });
    }

    /// Everything as Prometheus text.
    ///
    /// # Errors
    /// Prometheus's own, when two metrics of one name disagree.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    pub(super) fn shutdown(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last metrics were not sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_seconds_with_bounds_that_fit() {
        let metrics = Metrics::new(Resource::builder_empty().build(), false).expect("no exporter is needed");
        metrics.request("GET", "/", 200, Duration::from_millis(3));
        metrics.request("GET", "/", 200, Duration::from_millis(3));
        metrics.request("GET", "/", 503, Duration::from_millis(3));
        let text = metrics.text().expect("one metric agrees with itself");
        assert!(text.contains("http_server_request_duration_seconds_bucket"), "{text}");
        let counts: Vec<&str> = text.lines().filter(|line| line.contains("seconds_count")).collect();
        assert_eq!(counts.len(), 2, "{text}");
        assert!(counts.iter().any(|line| line.contains(r#"status_code="200""#) && line.ends_with(" 2")), "{text}");
        assert!(text.contains(r#"le="0.005""#) && text.contains(r#"http_route="/""#), "{text}");
    }
}
