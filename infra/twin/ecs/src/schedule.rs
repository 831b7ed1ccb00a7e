//! The service scheduler: one loop per service that compares what is wanted with what is and acts on the difference.

mod blue_green;
mod breaker;
mod decide;
mod health;
mod plan;
mod rollout;
mod start;
mod task_sets;
mod traffic;

use std::{sync::Arc, time::Duration};

use crate::{
    core::Core,
    life,
    state::{Service, ServiceKey},
};

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
    let alarms = alarms(core, key);
    let outcome = core.settle(|state| {
        let outcome = decide::decide(&core.settings, state, key, (&targets, &alarms));
        let changed = outcome.changed;
        (outcome, changed)
    });
    for id in &outcome.started {
        life::begin(core, id);
    }
    if let Some(errand) = outcome.errand {
        let result = errand.run(core).await;
        core.change(|state| blue_green::report(state, key, &errand, &result, core.settings.speed));
    }
    !outcome.gone
}

/// Those alarms of the deployment under way that are in ALARM.
fn alarms(core: &Arc<Core>, key: &ServiceKey) -> Vec<String> {
    let watched = core.read(|state| {
        let current = state.services.get(key).and_then(Service::current);
        current.map_or_else(Vec::new, |it| it.configuration.watched().to_vec())
    });
    watched.into_iter().filter(|name| core.alarms.state_of(name) == Some("ALARM")).collect()
}
