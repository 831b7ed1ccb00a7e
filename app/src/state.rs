//! Everything a request may need, made once at start.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use contract::failure::ModeName;
use http::HeaderValue;
use opentelemetry::KeyValue;
use time::OffsetDateTime;

use crate::{
    aws::{Clients, Cuts},
    config::Config,
    database::Database,
    failure::{CacheSettings, FailureCache, SsmParameter},
    health::Health,
    identity::Identity,
    lifecycle::Lifecycle,
    modes::Effects,
    telemetry::{Levels, Log, Metrics, Telemetry},
    work::WorkPool,
};

/// The state of one task.
pub struct App {
    pub(crate) config: Config,
    pub(crate) identity: Arc<Identity>,
    pub(crate) task_header: HeaderValue,
    pub(crate) clients: Arc<Clients>,
    pub(crate) cuts: Arc<Cuts>,
    /// The database, for `golden migrate`.
    pub database: Database,
    pub(crate) failure: FailureCache,
    pub(crate) effects: Effects,
    pub(crate) work: WorkPool,
    pub(crate) health: Health,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) log: Log,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) levels: Levels,
}

impl App {
    /// Makes the state. Opens no connection: AWS and the database are met when they are first needed.
    pub async fn build(config: Config, identity: Identity, telemetry: &Telemetry) -> Arc<Self> {
        Self::with_clients(config, identity, telemetry, Clients::load().await)
    }

    pub(crate) fn with_clients(
        config: Config,
        identity: Identity,
        telemetry: &Telemetry,
        clients: Clients,
    ) -> Arc<Self> {
        let identity = Arc::new(identity);
        let clients = Arc::new(clients);
        let cuts = Arc::new(Cuts::default());
        let store = SsmParameter::new(clients.failure_mode.clone(), config.param_failure_mode.clone());
        let settings = CacheSettings {
            max_age: Duration::from_millis(config.failure_mode_max_age_ms),
            max_stale: Duration::from_millis(config.failure_mode_max_stale_ms),
            max_s: config.failure_max_s,
        };
        let app = Arc::new(Self {
            database: Database::new(&config, Arc::clone(&clients), Arc::clone(&cuts)),
            failure: FailureCache::new(Box::new(store), Arc::clone(&identity), settings),
            effects: Effects::default(),
            work: WorkPool::start(config.work_threads, config.work_queue),
            health: Health::default(),
            lifecycle: Lifecycle::default(),
            task_header: static_header(&identity.task_id),
            log: telemetry.log.clone(),
            metrics: Arc::clone(&telemetry.metrics),
            levels: telemetry.levels(),
            config,
            identity,
            clients,
            cuts,
        });
        observe(&app);
        app
    }
}

/// A header value that lives as long as the process: its clones share no counter, for which the workers would compete on
/// every request.
fn static_header(text: &str) -> HeaderValue {
    match HeaderValue::from_str(text) {
        Ok(_) => HeaderValue::from_static(text.to_owned().leak()),
        Err(_) => HeaderValue::from_static("unknown"),
    }
}

/// Takes one value with its labels.
type Observe<'a> = &'a mut dyn FnMut(f64, &[KeyValue]);

/// Registers the gauges whose values live in the state. They hold it weakly: the meter outlives it.
fn observe(app: &Arc<App>) {
    let meter = app.metrics.meter();
    let gauge = |name: &'static str, description: &'static str, read: fn(&App, Observe<'_>)| {
        let app: Weak<App> = Arc::downgrade(app);
        meter
            .f64_observable_gauge(name)
            .with_description(description)
            .with_callback(move |observer| {
                if let Some(app) = app.upgrade() {
                    read(&app, &mut |value, labels| observer.observe(value, labels));
                }
            })
            .build();
    };
    #[allow(clippy::cast_precision_loss, reason = "gauges are floats")]
    {
        gauge("golden.failure_mode.active", "1 for each mode that applies to this task.", |app, observe| {
            let snapshot = app.failure.effective(Instant::now());
            let clock = OffsetDateTime::now_utc();
            let running = |name| {
                snapshot.active.iter().any(|active| active.fault.mode.name() == name && active.is_running(clock))
            };
            if snapshot.desired.is_blind() {
                return observe(1.0, &[KeyValue::new("mode", "blind")]);
            }
            for name in ModeName::ALL {
                observe(f64::from(u8::from(running(name))), &[KeyValue::new("mode", name.as_str())]);
            }
        });
        gauge("golden.failure_mode.age_seconds", "Age of the value that applies.", |app, observe| {
            if let Some(age) = app.failure.age(Instant::now()) {
                observe(age.as_secs_f64(), &[]);
            }
        });
        gauge("golden.failure_mode.version", "Version of the parameter as last read.", |app, observe| {
            observe(app.failure.desired().version as f64, &[]);
        });
        gauge("golden.failure_mode.fetches", "Reads of the parameter since start.", |app, observe| {
            observe(app.failure.reads() as f64, &[]);
        });
        gauge("golden.failure_mode.refusals", "Values of the parameter that were refused.", |app, observe| {
            observe(app.failure.refusals() as f64, &[]);
        });
        gauge("golden.effects.held", "What modes hold in this process.", |app, observe| {
            let report = app.effects.report(app);
            for (name, value) in report.as_object().into_iter().flatten() {
                let value = value.as_f64().or(value.as_bool().map(|held| f64::from(u8::from(held))));
                let value = value.or(value_len(&report[name]));
                observe(value.unwrap_or_default(), &[KeyValue::new("effect", name.clone())]);
            }
        });
        gauge("golden.database.sessions", "Sessions of the pool.", |app, observe| {
            let (all, idle) = app.database.sessions();
            observe(all as f64, &[KeyValue::new("state", "all")]);
            observe(idle as f64, &[KeyValue::new("state", "idle")]);
        });
        gauge("golden.work.waiting", "Jobs that wait for a work thread.", |app, observe| {
            observe(app.work.waiting() as f64, &[]);
        });
    }
}

#[allow(clippy::cast_precision_loss, reason = "a handful of entries")]
fn value_len(value: &serde_json::Value) -> Option<f64> {
    value.as_array().map(|list| list.len() as f64)
}
