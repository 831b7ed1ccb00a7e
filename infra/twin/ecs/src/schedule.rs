//! The service scheduler: one loop per service that compares what is wanted with what is and acts on the difference.

mod breaker;
mod decide;
mod health;
mod plan;
mod rollout;
mod start;
mod task_sets;

use std::{sync::Arc, time::Duration};

use crate::{core::Core, life, state::ServiceKey};

pub(crate) use start::{Launch, launch};

/// The loop looks at least this often, because target health changes without telling.
const TICK: Duration = Duration::from_millis(100);
/// Changes that come together are looked at together.
const DEBOUNCE: Duration = Duration::from_millis(10);

/// Tends a service until it is INACTIVE.
pub(crate) fn tend(core: &Arc<Core>, key: ServiceKey) {
    let core = core.clone();
    core.tracker.clone().spawn(async move {
        let mut changes = core.changes();
        loop {
            changes.mark_unchanged();
            if !pass(&core, &key).await {
                return;
            }
            tokio::select! {
                _ = changes.changed() => tokio::time::sleep(DEBOUNCE).await,
                () = tokio::time::sleep(TICK) => {}
                () = core.closing.cancelled() => return,
            }
        }
    });
}

/// One look and what follows from it. False when the service is gone.
async fn pass(core: &Arc<Core>, key: &ServiceKey) -> bool {
    let targets = health::of_targets(core, key).await;
    let outcome = core.settle(|state| {
        let outcome = decide::decide(&core.settings, state, key, &targets);
        let changed = outcome.changed;
        (outcome, changed)
    });
    for id in &outcome.started {
        life::begin(core, id);
    }
    !outcome.gone
}
