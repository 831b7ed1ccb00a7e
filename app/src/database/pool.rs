//! A bounded set of sessions. A session that met an error, is too old, or is of an older generation is closed, not reused.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Login;

/// How long a goodbye may take before the socket is closed without one.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The sessions that wait for work, and the right to have so many in all.
pub(crate) struct Pool {
    slots: Arc<Semaphore>,
    size: usize,
    idle: Mutex<Vec<Pooled>>,
    generation: AtomicU64,
    max_lifetime: Duration,
}

/// A connection with what decides its reuse.
pub(crate) struct Pooled {
    connection: PgConnection,
    login: Arc<Login>,
    opened_at: Instant,
    generation: u64,
    keep: bool,
}

/// A connection in use, with its slot. [`Session::release`] gives it back; dropping it closes it.
pub(crate) struct Session {
    pooled: Option<Pooled>,
    slot: Option<OwnedSemaphorePermit>,
    pool: Arc<Pool>,
}

impl Pool {
    pub(super) fn new(size: usize, max_lifetime: Duration) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(size)),
            size,
            idle: Mutex::default(),
            generation: AtomicU64::new(0),
            max_lifetime,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Pooled>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the right to use a session; `None` once the pool is closed.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn fresh(&self, opened: (PgConnection, Arc<Login>), generation: u64, keep: bool) -> Pooled {
        let (connection, login) = opened;
        Pooled { connection, login, opened_at: Instant::now(), generation, keep }
    }

    /// The idle session that was used last and may be used again; others are closed.
    pub(super) fn take_idle(&self) -> Option<Pooled> {
        loop {
            let pooled = self.idle().pop()?;
            if self.may_be_used(&pooled) {
                return Some(pooled);
            }
            pooled.close_in_background(None);
        }
    }

    fn may_be_used(&self, pooled: &Pooled) -> bool {
        pooled.keep && pooled.generation == self.generation() && pooled.opened_at.elapsed() < self.max_lifetime
    }

    /// Closes every idle session now and every other when it comes back.
    pub(super) fn start_over(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        for pooled in std::mem::take(&mut *self.idle()) {
            pooled.close_in_background(None);
        }
    }

    /// Sessions in all, and idle ones.
    pub(super) fn sessions(&self) -> (usize, usize) {
        let idle = self.idle().len();
        (self.size.saturating_sub(self.slots.available_permits()) + idle, idle)
    }

    /// Closes the pool and its idle sessions.
    pub(super) async fn close(&self) {
        self.slots.close();
        self.generation.fetch_add(1, Ordering::AcqRel);
        let idle = std::mem::take(&mut *self.idle());
        futures_util::future::join_all(idle.into_iter().map(|pooled| close(pooled.connection))).await;
    }
}

impl Pooled {
    /// Itself when the server still answers; a session that was ended from the other side looks idle until then.
    pub(super) async fn if_alive(mut self, timeout: Duration) -> Option<Self> {
        match tokio::time::timeout(timeout, self.connection.ping()).await {
            Ok(Ok(())) => Some(self),
            _ => None,
        }
    }

    fn close_in_background(self, slot: Option<OwnedSemaphorePermit>) {
        // Without a runtime the process is ending, and dropping the socket is the goodbye.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                close(self.connection).await;
                drop(slot);
            });
        }
    }
}

async fn close(connection: PgConnection) {
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.close()).await;
}

impl Session {
    pub(super) fn new(pooled: Pooled, slot: OwnedSemaphorePermit, pool: &Arc<Pool>) -> Self {
        Self { pooled: Some(pooled), slot: Some(slot), pool: Arc::clone(pool) }
    }

    /// The connection, and the log-in that opened it.
    pub(crate) fn parts(&mut self) -> (&mut PgConnection, &Login) {
        // Taken only by `release`, which consumes the session, and by `drop`.
        let pooled = self.pooled.as_mut().expect("a session in use has its connection");
        (&mut pooled.connection, &pooled.login)
    }

    /// The connection.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.parts().0
    }

    /// Gives the session back after everything it was asked has been answered.
    pub(crate) fn release(mut self) {
        if self.pooled.as_ref().is_some_and(|pooled| self.pool.may_be_used(pooled)) {
            self.pool.idle().extend(self.pooled.take());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take() {
            pooled.close_in_background(self.slot.take());
        }
    }
}
