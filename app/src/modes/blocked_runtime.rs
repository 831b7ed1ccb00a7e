//! `blocked_runtime`: the classic async mistake, a blocking call on the worker itself. Everything else that the worker
//! should drive waits too, `/healthz` and the refresh of the failure mode included.

use std::time::Duration;

/// Blocks this worker.
pub(super) fn block(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
