//! Keeps the cache fresh and the process-wide effects in step with it, with or without traffic.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::state::App;

/// How often effects are compared with the value that applies: bounds how late an expiry by the clock shows.
const TICK: Duration = Duration::from_millis(200);

/// The period where every request reads for itself.
const PERIOD_WITHOUT_AGE: Duration = Duration::from_secs(1);

/// The period is drawn from this part of the maximum age up to all of it, so that tasks do not ask in step. At the
/// default of one second that is at most 1.14 reads a second.
const SHORTEST: f64 = 0.88;

/// Runs until the task ends.
pub(crate) async fn run(app: &App) {
    let cache = &app.failure;
    let period = if cache.settings.max_age.is_zero() { PERIOD_WITHOUT_AGE } else { cache.settings.max_age };
    let mut last: Option<Instant> = None;
    let mut due = Instant::now();
    loop {
        let now = Instant::now();
        // A request that finds the value old wakes this loop; the rate bound holds for it too.
        let overdue = last.is_none_or(|last| now.duration_since(last) >= period.mul_f64(SHORTEST));
        if now >= due || (overdue && cache.age(now).is_none_or(|age| age > period)) {
            last = Some(now);
            due = now + period.mul_f64(SHORTEST + (1.0 - SHORTEST) * fastrand::f64());
            cache.refresh().await;
            app.lifecycle.started();
        }
        apply(app).await;
        let next = due.min(Instant::now() + TICK);
        tokio::select! {
            () = tokio::time::sleep_until(next.into()) => {}
            () = cache.wake.notified() => {}
        }
    }
}

async fn apply(app: &App) {
    let snapshot = app.failure.effective(Instant::now());
    let clock = OffsetDateTime::now_utc();
    let running: Vec<_> = snapshot.active.iter().filter(|active| active.is_running(clock)).cloned().collect();
    app.effects.reconcile(app, &running).await;
}
