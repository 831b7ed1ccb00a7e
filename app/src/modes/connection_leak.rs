//! `connection_leak`: each `/db` call opens real sessions beside the pool and forgets to close them, until the most is held
//! or PostgreSQL answers 53300. They carry their own `application_name`, so that SQL can count them.

use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

use crate::{database::DatabaseError, state::App};

/// Name of the leaked sessions in `pg_stat_activity`.
pub(crate) const APPLICATION_NAME: &str = "golden-leak";

/// The forgotten sessions.
#[derive(Default)]
pub(crate) struct Leaked {
    state: Mutex<State>,
    count: std::sync::atomic::AtomicUsize,
}

#[derive(Default)]
struct State {
    active: bool,
    sessions: Vec<PgConnection>,
}

/// Opens and keeps `per_request` sessions, as far as `max` allows.
///
/// # Errors
/// The database's refusal: the request fails with it, as it would in an application that leaks.
pub(crate) async fn leak(app: &App, per_request: u32, max: u32) -> Result<(), DatabaseError> {
    for _ in 0..per_request {
        if app.effects.leak.count() >= max as usize {
            break;
        }
        let session = app.database.open(APPLICATION_NAME).await?;
        app.effects.leak.keep(session, max as usize).await;
    }
    Ok(())
}

impl Leaked {
    /// Sessions held now.
    pub(crate) fn count(&self) -> usize {
        self.count.load(std::sync::atomic::Ordering::Relaxed)
    }

    async fn keep(&self, session: PgConnection, max: usize) {
        let mut state = self.state.lock().await;
        // The mode may have ended, or others may have filled the room, while the session was being opened.
        if !state.active || state.sessions.len() >= max {
            drop(state);
            close(session).await;
            return;
        }
        state.sessions.push(session);
        self.count.store(state.sessions.len(), std::sync::atomic::Ordering::Relaxed);
    }

    /// Says whether the mode is on; off closes every session.
    pub(super) async fn set(&self, active: bool) {
        let mut state = self.state.lock().await;
        state.active = active;
        if active || state.sessions.is_empty() {
            return;
        }
        let sessions = std::mem::take(&mut state.sessions);
        self.count.store(0, std::sync::atomic::Ordering::Relaxed);
        drop(state);
        futures_util::future::join_all(sessions.into_iter().map(close)).await;
    }
}

/// Says goodbye; when the server does not listen within a second the socket is closed all the same.
async fn close(session: PgConnection) {
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), session.close()).await;
}
