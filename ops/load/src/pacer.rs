//! The clock of the open loop: a thread that lets each arrival go at `t0 + i / rate`.
//!
//! A thread of its own, not a runtime timer: those are a millisecond coarse, which would be most of the latency measured
//! against a service on the same machine, and a busy runtime would delay the very arrivals that should show it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::Target;

/// Ends a pacer early: set the flag, then unpark the thread.
pub(crate) struct Pacer {
    pub(crate) stopped: Arc<AtomicBool>,
    pub(crate) thread: thread::Thread,
}

impl Pacer {
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Calls `arrive(i, due)` for each arrival when it is due, and `end(arrivals, stopped)` once.
pub(crate) fn spawn(
    rate_per_s: f64,
    arrivals_max: u64,
    t0: Instant,
    mut arrive: impl FnMut(u64, Instant) + Send + 'static,
    end: impl FnOnce(u64, bool) + Send + 'static,
) -> std::io::Result<Pacer> {
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    let handle = thread::Builder::new().name("load-pacer".into()).spawn(move || {
        for arrival in 0..arrivals_max {
            let due = t0 + offset(arrival, rate_per_s);
            loop {
                if flag.load(Ordering::Acquire) {
                    return end(arrival, true);
                }
                match due.checked_duration_since(Instant::now()) {
                    Some(wait) if !wait.is_zero() => thread::park_timeout(wait),
                    _ => break,
                }
            }
            arrive(arrival, due);
        }
        end(arrivals_max, false);
    })?;
    Ok(Pacer { stopped, thread: handle.thread().clone() })
}

/// When arrival `i` is due after `t0`; computed afresh each time so that rounding does not add up.
#[allow(clippy::cast_precision_loss, reason = "exact up to 2^53 arrivals")]
fn offset(arrival: u64, rate_per_s: f64) -> Duration {
    Duration::from_secs_f64(arrival as f64 / rate_per_s)
}

/// Interleaves targets by weight, always in the same order (smooth weighted round robin): 2:1 gives a b a, a b a.
pub(crate) struct Turn {
    weights: Vec<i64>,
    credit: Vec<i64>,
}

impl Turn {
    pub(crate) fn new(targets: &[Target]) -> Self {
        let weights: Vec<i64> = targets.iter().map(|target| i64::from(target.weight)).collect();
        Self { credit: vec![0; weights.len()], weights }
    }

    pub(crate) fn next(&mut self) -> usize {
        let mut best = 0;
        for (index, weight) in self.weights.iter().enumerate() {
            self.credit[index] += weight;
            if self.credit[index] > self.credit[best] {
                best = index;
            }
        }
        self.credit[best] -= self.weights.iter().sum::<i64>();
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_exact_and_interleaved() {
        let mut turn = Turn::new(&[Target::get("/a").weight(2), Target::get("/b"), Target::get("/c")]);
        let order: Vec<usize> = (0..8).map(|_| turn.next()).collect();
        assert_eq!(order, [0, 1, 2, 0, 0, 1, 2, 0]);
    }

    #[test]
    fn due_times_do_not_drift() {
        assert_eq!(offset(0, 3.0), Duration::ZERO);
        assert_eq!(offset(3_000_000, 3.0), Duration::from_secs(1_000_000));
    }
}
