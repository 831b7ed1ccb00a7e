//! The load of a run, second by second: what recovery is judged by.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use load::{ErrorKind, InvalidProfile, Outcome, Profile, Run};
use time::OffsetDateTime;

use crate::scenario::TrafficProfile;

/// Seconds that are judged together. One slow request of a hundred is no outage, and a shorter window would make it one.
const WINDOW: usize = 5;
/// Share of the offered requests that must end in the window; fewer, and the service hangs.
const ANSWERED: f64 = 0.5;
/// A run is ended by its own limits long before.
const FOREVER: Duration = Duration::from_secs(7 * 86_400);

/// The load that goes on.
pub(super) struct Traffic {
    run: Run,
    ledger: Arc<Mutex<Ledger>>,
    rate_per_s: f64,
    paths: Vec<String>,
}

/// What ended, by the second.
struct Ledger {
    seconds: VecDeque<Second>,
    slow_ms: f64,
}

/// One second.
#[derive(Clone, Debug, Default)]
struct Second {
    epoch_s: i64,
    failed: u32,
    slow: u32,
    latencies_ms: Vec<f32>,
    last_bad: Option<Bad>,
}

/// A sample that was not good.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bad {
    at: OffsetDateTime,
    target: usize,
    outcome: Outcome,
    latency: Duration,
}

/// What the load was like in the last few seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// Percent that failed; none when nothing ended.
    pub(super) error_rate: Option<f64>,
    /// 95th percentile in ms.
    pub(super) p95_ms: Option<f64>,
    /// Requests that ended a second.
    pub(super) rate_per_s: f64,
    /// Share of the offered requests that ended.
    pub(super) answered: f64,
    /// The last sample that failed or was slow, with words for it.
    pub(super) last_bad: Option<(OffsetDateTime, String)>,
}

impl Traffic {
    /// Starts it. Slower than `slow_ms` is bad.
    pub(super) fn start(url: &str, profile: &TrafficProfile, slow_ms: Option<f64>) -> Result<Self, InvalidProfile> {
        let mut load = Profile::new(url, profile.rate_per_s).lasting(FOREVER);
        (load.targets, load.timeout) = (profile.targets(), profile.timeout.0);
        let ledger =
            Arc::new(Mutex::new(Ledger { seconds: VecDeque::new(), slow_ms: slow_ms.unwrap_or(f64::INFINITY) }));
        let seen = Arc::clone(&ledger);
        let run = load::start_observed(load, move |sample| {
            let at = sample.due_at + sample.latency;
            let mut ledger = seen.lock().unwrap_or_else(PoisonError::into_inner);
            ledger.add(Bad { at, target: sample.target, outcome: sample.outcome, latency: sample.latency });
        })?;
        Ok(Self { run, ledger, rate_per_s: profile.rate_per_s, paths: profile.paths.clone() })
    }

    /// The last whole seconds before `now`.
    pub(super) fn window(&self, now: OffsetDateTime) -> Window {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let end = now.unix_timestamp();
        let begin = end - i64::try_from(WINDOW).unwrap_or_default();
        let of_window = || ledger.seconds.iter().filter(|second| (begin..end).contains(&second.epoch_s));
        let mut latencies: Vec<f32> = of_window().flat_map(|second| second.latencies_ms.iter().copied()).collect();
        let (count, failed) = (latencies.len(), of_window().map(|second| second.failed).sum::<u32>());
        let per_s = as_f64(count) / as_f64(WINDOW);
        Window {
            error_rate: (count > 0).then(|| f64::from(failed) * 100.0 / as_f64(count)),
            p95_ms: percentile(&mut latencies),
            rate_per_s: per_s,
            answered: per_s / self.rate_per_s,
            last_bad: ledger.seconds.iter().filter_map(|second| second.last_bad).max_by_key(|bad| bad.at).map(|bad| {
                let path = self.paths.get(bad.target).map_or("?", String::as_str);
                (bad.at, bad.words(path))
            }),
        }
    }

    /// The second that ended at `now`: error rate and 95th percentile.
    pub(super) fn second(&self, epoch_s: i64) -> (Option<f64>, Option<f64>) {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(second) = ledger.seconds.iter().find(|second| second.epoch_s == epoch_s) else { return (None, None) };
        let count = second.latencies_ms.len();
        let error_rate = (count > 0).then(|| f64::from(second.failed) * 100.0 / as_f64(count));
        (error_rate, percentile(&mut second.latencies_ms.clone()))
    }

    /// Ends it and says what it was in all.
    pub(super) async fn end(self) -> load::Summary {
        self.run.stopper().stop();
        self.run.finish().await
    }
}

impl Window {
    /// Whether the load is served at all.
    ///
    /// # Errors
    /// How little of it is.
    pub(super) fn served(&self) -> Result<(), String> {
        if self.answered >= ANSWERED {
            return Ok(());
        }
        Err(format!("only {:.0} % of the offered requests are answered", self.answered * 100.0))
    }
}

impl Ledger {
    /// Adds a sample; `bad` is what it is called when it turns out to be.
    #[allow(clippy::cast_possible_truncation, reason = "a latency needs no more digits")]
    fn add(&mut self, bad: Bad) {
        /// Seconds that are kept: what the window and the chart still ask for.
        const KEPT: usize = 60;
        let (epoch_s, latency_ms) = (bad.at.unix_timestamp(), bad.latency.as_secs_f64() * 1000.0);
        let place = self.seconds.iter().rposition(|second| second.epoch_s <= epoch_s);
        let index = match place {
            Some(index) if self.seconds[index].epoch_s == epoch_s => index,
            _ => {
                let index = place.map_or(0, |index| index + 1);
                self.seconds.insert(index, Second { epoch_s, ..Second::default() });
                index
            }
        };
        let second = &mut self.seconds[index];
        second.latencies_ms.push(latency_ms as f32);
        let (failed, slow) = (!bad.outcome.is_good(), latency_ms > self.slow_ms);
        second.failed += u32::from(failed);
        second.slow += u32::from(slow);
        if failed || slow {
            second.last_bad = Some(second.last_bad.filter(|last| last.at >= bad.at).unwrap_or(bad));
        }
        while self.seconds.len() > KEPT {
            self.seconds.pop_front();
        }
    }
}

impl Bad {
    fn words(&self, path: &str) -> String {
        let how = match self.outcome {
            Outcome::Status(status) => status.to_string(),
            Outcome::Error(ErrorKind::Timeout) => "no answer in time".to_owned(),
            Outcome::Error(_) => "no answer".to_owned(),
        };
        format!("GET {path}: {how} after {} ms", self.latency.as_millis())
    }
}

fn percentile(latencies: &mut [f32]) -> Option<f64> {
    latencies.sort_unstable_by(f32::total_cmp);
    let rank = (latencies.len() * 95).div_ceil(100).checked_sub(1)?;
    latencies.get(rank).map(|latency| f64::from(*latency))
}

#[allow(clippy::cast_precision_loss, reason = "counts of a few thousand")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::ext::NumericalDuration as _;

    #[test]
    fn bad_samples_are_kept_by_when_they_ended() {
        let mut ledger = Ledger { seconds: VecDeque::new(), slow_ms: 400.0 };
        let start = OffsetDateTime::UNIX_EPOCH;
        let sample = |at_ms: i64, latency_ms: u64, status: u16| Bad {
            at: start + at_ms.milliseconds(),
            target: 0,
            outcome: Outcome::Status(status),
            latency: Duration::from_millis(latency_ms),
        };
        for (at_ms, latency_ms, status) in
            [(2100, 5, 200), (1500, 500, 200), (1400, 5, 503), (900, 5, 200), (2000, 5, 404)]
        {
            ledger.add(sample(at_ms, latency_ms, status));
        }
        let seconds: Vec<(i64, usize, u32, u32)> = ledger
            .seconds
            .iter()
            .map(|second| (second.epoch_s, second.latencies_ms.len(), second.failed, second.slow))
            .collect();
        assert_eq!(seconds, [(0, 1, 0, 0), (1, 2, 1, 1), (2, 2, 1, 0)]);
        let last = ledger.seconds[1].last_bad.expect("two were bad");
        assert_eq!(last.words("/db"), "GET /db: 200 after 500 ms");
    }

    #[test]
    fn the_percentile_is_of_what_is_there() {
        assert_eq!(percentile(&mut []), None);
        assert_eq!(percentile(&mut [3.0]), Some(3.0));
        let mut hundred: Vec<f32> = (1_u8..=100).map(f32::from).collect();
        assert_eq!(percentile(&mut hundred), Some(95.0));
    }
}
