//! What a run says, while it goes on and at its end. Milliseconds throughout; field names are the JSON keys.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    ErrorKind, Profile,
    record::{Counts, Micros, micros},
};

/// Percentiles of the time from when a request was due until its answer was whole, failures included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the percentile of its name")]
pub struct Latency {
    pub min: f64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p99_9: f64,
    pub max: f64,
}

/// How late the generator itself let requests go. A p99 of more than a few milliseconds means that the machine, not the
/// service, is the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is the percentile of its name")]
pub struct Lag {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// All arrivals of the profile were made.
    Complete,
    /// Somebody called [`crate::Stop::stop`] or dropped the run.
    Stopped,
}

/// The state of a run since its start, with the last interval apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// Since the start.
    pub elapsed_ms: u64,
    /// Arrivals so far: sent or shed.
    pub arrivals: u64,
    /// Requests that ended, well or not.
    pub finished: u64,
    /// Finished without a whole answer below 400.
    pub failed: u64,
    /// Arrivals that were not sent because too many requests were under way.
    pub shed: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// Requests finished per second in the last interval.
    pub window_rate_per_s: f64,
    /// Requests that failed in the last interval.
    pub window_failed: u64,
    /// Arrivals shed in the last interval.
    pub window_shed: u64,
    /// Latency in the last interval.
    pub window_latency_ms: Latency,
    /// When the last failure ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_failed_at: Option<OffsetDateTime>,
}

/// One target's part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as in the summary")]
pub struct TargetSummary {
    pub method: String,
    pub path: String,
    pub finished: u64,
    pub failed: u64,
    pub latency_ms: Latency,
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Where it was sent.
    pub base_url: String,
    /// When the first arrival was due.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// From the start until the last request ended.
    pub duration_ms: u64,
    /// Why it ended.
    pub end: EndReason,
    /// Arrivals per second that were asked for.
    pub rate_per_s: f64,
    /// Arrivals: sent or shed.
    pub arrivals: u64,
    /// Requests that ended, well or not.
    pub finished: u64,
    /// Finished without a whole answer below 400.
    pub failed: u64,
    /// Arrivals not sent because `in_flight_max` requests were under way.
    pub shed: u64,
    /// Requests cut off because the run was stopped.
    pub unfinished: u64,
    /// `(failed + shed) / (arrivals - unfinished)`: an arrival that was shed got no answer either. 0 without arrivals.
    pub error_rate: f64,
    /// Over all targets.
    pub latency_ms: Latency,
    /// The generator's own lateness.
    pub lag_ms: Lag,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Failures without a whole answer, by kind.
    pub errors: BTreeMap<ErrorKind, u64>,
    /// When the first failure ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub first_failed_at: Option<OffsetDateTime>,
    /// When the last failure ended: what recovery is measured by.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_failed_at: Option<OffsetDateTime>,
    /// By target, in the profile's order.
    pub targets: Vec<TargetSummary>,
}

#[allow(clippy::cast_precision_loss, reason = "an hour in microseconds is exact in an f64")]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

impl Latency {
    fn of(histogram: &Micros) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let at = |quantile| ms(histogram.value_at_quantile(quantile));
        Self {
            min: ms(histogram.min()),
            mean: histogram.mean().round() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p99_9: at(0.999),
            max: ms(histogram.max()),
        }
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "a share needs no more digits")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Snapshot {
    /// Reads the counts and starts the next interval.
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
    pub(crate) fn take(counts: &mut Counts, t0: Instant) -> Self {
        let now = Instant::now();
        let window = &mut counts.window;
        let seconds = now.duration_since(window.since).as_secs_f64();
        let snapshot = Self {
            elapsed_ms: whole_ms(now.duration_since(t0)),
            arrivals: counts.arrivals,
            finished: counts.finished,
            failed: counts.failed,
            shed: counts.shed,
            in_flight: counts.arrivals - counts.shed - counts.finished,
            window_rate_per_s: if seconds > 0.0 { window.finished as f64 / seconds } else { 0.0 },
            window_failed: window.failed,
            window_shed: window.shed,
            window_latency_ms: Latency::of(&window.latency),
            last_failed_at: counts.last_failed_at,
        };
        window.since = now;
        (window.finished, window.failed, window.shed) = (0, 0, 0);
        window.latency.reset();
        snapshot
    }
}

impl Summary {
    pub(crate) fn of(
        profile: &Profile,
        counts: &Counts,
        started_at: OffsetDateTime,
        lasted: Duration,
        end: EndReason,
    ) -> Self {
        let mut all = micros();
        for target in &counts.targets {
            all.add(&target.latency).expect("histograms of the same bounds add up");
        }
        let unfinished = counts.arrivals - counts.shed - counts.finished;
        Self {
            base_url: profile.base_url.clone(),
            started_at,
            duration_ms: whole_ms(lasted),
            end,
            rate_per_s: profile.rate_per_s,
            arrivals: counts.arrivals,
            finished: counts.finished,
            failed: counts.failed,
            shed: counts.shed,
            unfinished,
            error_rate: share(counts.failed + counts.shed, counts.arrivals - unfinished),
            latency_ms: Latency::of(&all),
            lag_ms: Lag {
                p50: ms(counts.lag.value_at_quantile(0.5)),
                p99: ms(counts.lag.value_at_quantile(0.99)),
                max: ms(counts.lag.max()),
            },
            statuses: counts.statuses.clone(),
            errors: counts.errors.clone(),
            first_failed_at: counts.first_failed_at,
            last_failed_at: counts.last_failed_at,
            targets: profile
                .targets
                .iter()
                .zip(&counts.targets)
                .map(|(target, counts)| TargetSummary {
                    method: target.method.to_string(),
                    path: target.path.clone(),
                    finished: counts.finished,
                    failed: counts.failed,
                    latency_ms: Latency::of(&counts.latency),
                })
                .collect(),
        }
    }
}
