//! `latency`: a sleep before the handler, uniform between two bounds. It counts against the request's own deadline, and ends
//! early when the mode is left.

use std::{slice, sync::Arc, time::Duration};

use crate::{failure::Active, state::App};

/// Sleeps; the worker is free meanwhile.
pub(super) async fn wait(app: &App, hit: &Arc<Active>, min_ms: u64, max_ms: u64) {
    tokio::select! {
        () = tokio::time::sleep(draw(min_ms, max_ms)) => {}
        () = app.failure.left(slice::from_ref(hit)) => {}
    }
}

fn draw(min_ms: u64, max_ms: u64) -> Duration {
    Duration::from_millis(fastrand::u64(min_ms..=max_ms.max(min_ms)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sleep_is_between_its_bounds() {
        for _ in 0..100 {
            assert!((20..=30).contains(&super::draw(20, 30).as_millis()));
        }
        assert_eq!(super::draw(40, 30).as_millis(), 40);
    }
}
