//! Deep health: every dependency probed at once, the answer reused for some seconds and made by one caller at a time.

mod probes;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::Mutex;

use crate::state::App;

/// What one probe found.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// Key under `services`.
    name: String,
    /// `None` is not configured, and does not count.
    result: Option<Result<(), String>>,
    latency: Duration,
}

/// What all probes found.
#[derive(Debug)]
pub(crate) struct Checked {
    at: Instant,
    clock: OffsetDateTime,
    findings: Vec<Finding>,
}

/// The last answer.
#[derive(Default)]
pub(crate) struct Health(Mutex<Option<Arc<Checked>>>);

impl Health {
    /// An answer no older than `HEALTH_MAX_AGE_MS`. Callers meanwhile wait for the one who asks.
    pub(crate) async fn check(&self, app: &App) -> Arc<Checked> {
        let mut held = self.0.lock().await;
        if let Some(checked) = &*held
            && checked.at.elapsed() < Duration::from_millis(app.config.health_max_age_ms)
        {
            return Arc::clone(checked);
        }
        let findings = probes::all(app).await;
        let checked = Arc::new(Checked { at: Instant::now(), clock: OffsetDateTime::now_utc(), findings });
        *held = Some(Arc::clone(&checked));
        checked
    }
}

impl Finding {
    fn word(&self) -> &'static str {
        match &self.result {
            Some(Ok(())) => "healthy",
            Some(Err(_)) => "unhealthy",
            None => "not_configured",
        }
    }
}

impl Checked {
    /// The failing dependencies with their reasons, for the log.
    pub(crate) fn failing(&self) -> Vec<String> {
        let failing = |finding: &Finding| match &finding.result {
            Some(Err(reason)) => Some(format!("{}: {reason}", finding.name)),
            _ => None,
        };
        self.findings.iter().filter_map(failing).collect()
    }

    /// The document of `GET /health`.
    pub(crate) fn document(&self, app: &App, detailed: bool) -> Value {
        let mut services = Map::new();
        for finding in &self.findings {
            let value = if detailed {
                json!({
                    "status": finding.word(),
                    "latencyMs": round(finding.latency),
                    "ageMs": round(self.at.elapsed()),
                    "error": finding.result.as_ref().and_then(|result| result.as_ref().err()),
                })
            } else {
                json!(finding.word())
            };
            services.insert(finding.name.clone(), value);
        }
        let failing: Vec<_> =
            self.findings.iter().filter(|finding| finding.word() == "unhealthy").map(|f| f.name.as_str()).collect();
        let database = self.findings.iter().find(|finding| finding.name == probes::DATABASE).map(Finding::word);
        json!({
            "status": if failing.is_empty() { "healthy" } else { "unhealthy" },
            "version": app.config.service_version,
            "timestamp": self.clock.format(&Rfc3339).unwrap_or_default(),
            "region": app.clients.region,
            "database": match database {
                Some("healthy") => "connected",
                Some("unhealthy") => "disconnected",
                _ => "not_configured",
            },
            "services": services,
            "message": if failing.is_empty() {
                "every dependency answers".to_owned()
            } else {
                format!("not answering: {}", failing.join(", "))
            },
        })
    }
}

/// Milliseconds with three decimals.
#[allow(clippy::cast_precision_loss, reason = "a health check takes seconds, not centuries")]
fn round(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
