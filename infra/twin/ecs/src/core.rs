//! What every part of the imitated ECS shares: the settings, the seams, and the one locked store.
//!
//! The store is reached only through closures that cannot await, so no lock is ever held over a wait.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use twin_platform::seam::{AlarmStates, LogSink, SecretValues, Targets};

use crate::{Settings, images::Images, limits::Limiter, place::Places, state::State};

pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) targets: Arc<dyn Targets>,
    pub(crate) logs: Arc<dyn LogSink>,
    pub(crate) secrets: Arc<dyn SecretValues>,
    pub(crate) alarms: Arc<dyn AlarmStates>,
    pub(crate) images: Images,
    pub(crate) limiter: Limiter,
    pub(crate) places: Places,
    /// Cancelled once, when the twin ends.
    pub(crate) closing: CancellationToken,
    /// Every task's life and every service's loop.
    pub(crate) tracker: TaskTracker,
    state: Mutex<State>,
    version: watch::Sender<u64>,
}

impl Core {
    pub(crate) fn new(
        settings: Settings,
        targets: Arc<dyn Targets>,
        logs: Arc<dyn LogSink>,
        secrets: Arc<dyn SecretValues>,
        alarms: Arc<dyn AlarmStates>,
    ) -> Arc<Self> {
        if let Err(error) = std::fs::create_dir_all(&settings.scratch) {
            tracing::warn!(%error, folder = %settings.scratch.display(), "the tasks' scratch folder could not be made");
        }
        let limiter = Limiter::detect();
        tracing::info!(limits = limiter.description(), "resource limits of tasks");
        Arc::new(Self {
            images: Images::new(settings.images.clone()),
            limiter,
            places: Places::detect(),
            closing: CancellationToken::new(),
            tracker: TaskTracker::new(),
            state: Mutex::default(),
            version: watch::Sender::new(0),
            settings,
            targets,
            logs,
            secrets,
            alarms,
        })
    }

    /// Looks at the store.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the store and wakes everyone who waits for a change.
    pub(crate) fn change<R>(&self, edit: impl FnOnce(&mut State) -> R) -> R {
        let result = edit(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.version.send_modify(|version| *version += 1);
        result
    }

    /// Changes the store, and wakes the others only when the edit says that something changed. A service's loop would otherwise
    /// wake itself for ever.
    pub(crate) fn settle<R>(&self, edit: impl FnOnce(&mut State) -> (R, bool)) -> R {
        let (result, changed) = edit(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        if changed {
            self.version.send_modify(|version| *version += 1);
        }
        result
    }

    /// Becomes ready at the next change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}
