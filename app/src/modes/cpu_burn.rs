//! `cpu_burn`: threads of their own spin for a part of each period, beside the async runtime and never on it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use contract::failure::Mode;

/// Length of one duty cycle: also the longest that a thread outlives the mode.
const PERIOD: Duration = Duration::from_millis(100);

/// The burning threads.
#[derive(Default)]
pub(super) struct Burner {
    running: Mutex<Option<Running>>,
}

struct Running {
    mode: Mode,
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Burner {
    /// Burns as the mode says; `None` stops.
    pub(super) fn set(&self, mode: Option<&Mode>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().map(|running| &running.mode) == mode {
            return;
        }
        if let Some(old) = running.take() {
            old.stop.store(true, Ordering::Relaxed);
        }
        let Some(mode @ Mode::CpuBurn { percent, workers }) = mode else { return };
        let count = workers.map_or_else(cpus, |workers| workers as usize);
        let busy = PERIOD * *percent / 100;
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count).filter_map(|_| {
            let stop = Arc::clone(&stop);
            let spawned =
                thread::Builder::new().name("burn".into()).stack_size(64 << 10).spawn(move || burn(busy, &stop));
            spawned.inspect_err(|error| tracing::warn!(%error, "a thread could not be started")).ok()
        });
        let threads = threads.collect();
        *running = Some(Running { mode: mode.clone(), stop, threads });
    }

    /// Threads that burn now.
    pub(super) fn threads(&self) -> usize {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map_or(0, |running| running.threads.iter().filter(|thread| !thread.is_finished()).count())
    }
}

fn cpus() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn burn(busy: Duration, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        while started.elapsed() < busy && !stop.load(Ordering::Relaxed) {
            for n in 0..1000_u64 {
                std::hint::black_box(n.wrapping_mul(n));
            }
        }
        thread::sleep(PERIOD.saturating_sub(started.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_start_with_the_mode_and_stop_with_it() {
        let burner = Burner::default();
        let mode = Mode::CpuBurn { percent: 5, workers: Some(3) };
        burner.set(Some(&mode));
        burner.set(Some(&mode));
        assert_eq!(burner.threads(), 3);
        let stop = burner.running.lock().expect("no burner panicked").as_ref().map(|running| Arc::clone(&running.stop));
        burner.set(None);
        assert_eq!(burner.threads(), 0);
        assert!(stop.is_some_and(|stop| stop.load(Ordering::Relaxed)));
    }
}
