//! `latency`: a sleep before the handler, uniform between two bounds. It counts against the request's own deadline.

use std::time::Duration;

/// Sleeps; the worker is free meanwhile.
pub(super) async fn wait(min_ms: u64, max_ms: u64) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(min_ms..=max_ms.max(min_ms)))).await;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    #[tokio::test]
    async fn the_sleep_is_at_least_the_lower_bound() {
        let started = Instant::now();
        super::wait(20, 30).await;
        assert!(started.elapsed().as_millis() >= 20);
    }
}
