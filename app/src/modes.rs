//! The fifteen modes, one file each, and the order in which they act.
//!
//! Per-request modes act in [`around`]; what holds the process is kept in [`Effects`], which [`Effects::reconcile`] brings
//! in step with the value that applies: an effect whose mode is gone is undone there, at most one refresh later. Both
//! `match`es name every mode, so a new mode does not compile until it acts.

mod blocked_runtime;
mod connection_leak;
mod corrupt_body;
mod cpu_burn;
mod crash;
mod dependency_down;
mod disk_fill;
mod hang;
mod latency;
mod lock_contention;
mod memory_leak;
mod return_500;
mod slow_query;
mod stale_credentials;
mod unhealthy;

use std::{future::Future, sync::Arc};

use axum::response::{IntoResponse, Response};
use contract::{
    ErrorType,
    failure::{Mode, ModeName},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{error::AppError, failure::Active, state::App};

pub(crate) use connection_leak::leak;
pub(crate) use lock_contention::hold_lock;
pub(crate) use slow_query::{end_with_the_socket, sleep_in_database};

/// What `/db` must do differently for this request.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatabaseFaults {
    /// Sessions to open and keep, and the most to hold.
    pub(crate) leak: Option<(u32, u32)>,
    /// Milliseconds of `pg_sleep`.
    pub(crate) slow_ms: Option<u64>,
    /// Milliseconds for which the row lock is held.
    pub(crate) hold_ms: Option<u64>,
    /// The faults behind those two: when one ends, so does what it asked for.
    pub(crate) held_by: Vec<Arc<Active>>,
}

/// Runs a request through the faults that hit it: those before the handler, the handler, those on the reply.
pub(crate) async fn around<F>(app: &App, hits: &[Arc<Active>], handler: impl FnOnce(DatabaseFaults) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let mut database = DatabaseFaults::default();
    for hit in hits {
        match &hit.fault.mode {
            Mode::Latency { min_ms, max_ms } => latency::wait(app, hit, *min_ms, *max_ms).await,
            Mode::Hang => return hang::until_left(app, hit).await,
            Mode::ConnectionLeak { per_request, max } => database.leak = Some((*per_request, *max)),
            Mode::SlowQuery { ms } => {
                database.slow_ms = Some(*ms);
                database.held_by.push(Arc::clone(hit));
            }
            Mode::LockContention { hold_ms } => {
                database.hold_ms = Some(*hold_ms);
                database.held_by.push(Arc::clone(hit));
            }
            Mode::BlockedRuntime { ms } => blocked_runtime::block(*ms),
            Mode::MemoryLeak { mib_per_request, cap_mib } => {
                app.effects.memory.keep(*mib_per_request, memory_leak::cap(*cap_mib, &app.identity)).await;
            }
            // These act on the reply, below.
            Mode::Return500 { .. } | Mode::Unhealthy { .. } | Mode::CorruptBody => {}
            // These hold the process, see `reconcile`, and never hit a request.
            Mode::StaleCredentials
            | Mode::CpuBurn { .. }
            | Mode::Crash { .. }
            | Mode::DiskFill { .. }
            | Mode::DependencyDown { .. } => {}
        }
    }
    let mut response = handler(database).await;
    for hit in hits {
        match hit.fault.mode {
            Mode::Return500 { status } => response = return_500::reply(status, hit.is_blind),
            Mode::Unhealthy { status } => response = unhealthy::reply(status, hit.is_blind),
            Mode::CorruptBody => response = corrupt_body::cut(response).await,
            _ => {}
        }
    }
    response
}

/// Whether one of the hits never answers, so that no deadline of ours may.
pub(crate) fn never_answers(hits: &[Arc<Active>]) -> bool {
    hits.iter().any(|hit| hit.fault.mode.name() == ModeName::Hang)
}

/// An error reply that a fault asks for. A blind fault looks like a bug of the application.
fn injected(status: u16, is_blind: bool) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error_type = match (is_blind, status.is_client_error()) {
        (false, _) => ErrorType::InjectedFailure,
        (true, true) => ErrorType::BadRequest,
        (true, false) => ErrorType::InternalError,
    };
    AppError::new(error_type).with_status(status).into_response()
}

/// What modes hold in this process.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) leak: connection_leak::Leaked,
    pub(crate) memory: memory_leak::Kept,
    burn: cpu_burn::Burner,
    fuse: crash::Fuse,
    disk: disk_fill::Fill,
}

impl Effects {
    /// Starts what the running faults ask for and undoes everything else.
    pub(crate) async fn reconcile(&self, app: &App, running: &[Arc<Active>]) {
        for name in ModeName::ALL {
            let hit = running.iter().find(|active| active.fault.mode.name() == name);
            let mode = hit.map(|active| &active.fault.mode);
            match name {
                // These live in a request: it watches for their end itself.
                ModeName::Return500
                | ModeName::Unhealthy
                | ModeName::Latency
                | ModeName::Hang
                | ModeName::CorruptBody
                | ModeName::SlowQuery
                | ModeName::LockContention
                | ModeName::BlockedRuntime => {}
                ModeName::ConnectionLeak => self.leak.set(mode.is_some()).await,
                ModeName::MemoryLeak => self.memory.set(mode.is_some()),
                ModeName::StaleCredentials => stale_credentials::set(app, mode.is_some()),
                ModeName::CpuBurn => self.burn.set(mode),
                ModeName::Crash => self.fuse.set(mode, hit.is_some_and(|active| active.is_blind), &app.log),
                ModeName::DiskFill => self.disk.set(mode, app),
                ModeName::DependencyDown => dependency_down::set(app, mode),
            }
        }
    }

    /// What is held, for the admin listener. Names of effects, never of modes.
    pub(crate) fn report(&self, app: &App) -> Value {
        json!({
            "leakedSessions": self.leak.count(),
            "keptMemoryMib": self.memory.mib(),
            "burnThreads": self.burn.threads(),
            "scratchMib": self.disk.mib(),
            "pinnedCredentials": app.database.is_pinned(),
            "cutDependencies": app.cuts.list(),
            "exitPending": self.fuse.is_lit(),
        })
    }
}

#[cfg(test)]
mod tests {
    use contract::failure::ModeName;

    #[test]
    fn every_mode_has_its_file() {
        for mode in ModeName::ALL {
            let path = format!("{}/src/modes/{}.rs", env!("CARGO_MANIFEST_DIR"), mode.as_str());
            assert!(std::path::Path::new(&path).is_file(), "{path} is missing");
        }
    }
}
