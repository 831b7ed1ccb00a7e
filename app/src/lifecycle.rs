//! Starting, ready, draining: one way only.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio_util::sync::CancellationToken;

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

/// Where the task is in its life.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    phase: AtomicU8,
    drain: CancellationToken,
}

impl Lifecycle {
    /// The failure mode was read, or could not be, for the first time: traffic may come.
    pub(crate) fn started(&self) {
        let _ = self.phase.compare_exchange(STARTING, READY, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Readiness fails from now on, and requests that can never end are let go.
    pub(crate) fn begin_drain(&self) {
        self.phase.store(DRAINING, Ordering::Release);
        self.drain.cancel();
    }

    /// Returns when the drain begins.
    pub(crate) async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Whether the task takes traffic.
    pub(crate) fn is_ready(&self) -> bool {
        self.phase.load(Ordering::Acquire) == READY
    }

    /// Whether the task is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        self.phase.load(Ordering::Acquire) == DRAINING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draining_task_never_becomes_ready_again() {
        let lifecycle = Lifecycle::default();
        assert!(!lifecycle.is_ready());
        lifecycle.started();
        assert!(lifecycle.is_ready());
        lifecycle.begin_drain();
        lifecycle.started();
        assert!(!lifecycle.is_ready() && lifecycle.is_draining());
    }
}
