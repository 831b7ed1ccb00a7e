//! PostgreSQL: credentials that can be read again, a small pool, errors by SQLSTATE.
//!
//! The pool is ours because the drill needs what sqlx's pool hides: that one retries a refused connection and SQLSTATE 53300
//! until its timeout and then reports the timeout alone, and it offers no way to close idle sessions when the password
//! changes. Promises: no session is opened before one is needed, a statement that its caller gave up on is finished or
//! cancelled by the database (never left half-read), and no error text decides anything.

mod credentials;
mod error;
mod migrate;
mod pool;
mod visit;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contract::failure::Dependency;
use futures_util::future::{BoxFuture, FutureExt};
use sqlx::{
    ConnectOptions, Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{
    aws::{CLOSED_PORT, Clients, Cuts},
    config::Config,
    telemetry::{connect_span, traced},
};

pub(crate) use credentials::CredentialsError;
pub(crate) use credentials::{Credentials, Login};
pub use error::DatabaseError;
pub(crate) use error::sql;
pub(crate) use pool::{Pool, Session};
pub(crate) use visit::visit;

/// Name of the pool's sessions in `pg_stat_activity`.
pub(crate) const APPLICATION_NAME: &str = "golden";

/// Longest log-in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What a statement may take beyond the request's deadline before the database cancels it.
const STATEMENT_GRACE_MS: u64 = 500;

/// The database of this task.
pub struct Database {
    credentials: Credentials,
    pool: Arc<Pool>,
    cuts: Arc<Cuts>,
    pinned: AtomicBool,
    acquire_timeout: Duration,
    statement_timeout_ms: u64,
}

impl Database {
    /// A database that is not connected to.
    pub(crate) fn new(config: &Config, clients: Arc<Clients>, cuts: Arc<Cuts>) -> Self {
        let lifetime = Duration::from_millis(config.db_session_max_lifetime_ms);
        Self {
            credentials: Credentials::new(config, clients, Arc::clone(&cuts)),
            pool: Arc::new(Pool::new(config.db_pool_max as usize, lifetime)),
            cuts,
            pinned: AtomicBool::new(false),
            acquire_timeout: Duration::from_millis(config.db_acquire_timeout_ms),
            statement_timeout_ms: config.request_timeout_ms + STATEMENT_GRACE_MS,
        }
    }

    /// A session of the pool.
    ///
    /// # Errors
    /// [`DatabaseError`]; waiting is bounded by `DB_ACQUIRE_TIMEOUT_MS`.
    pub(crate) async fn session(&self) -> Result<Session, DatabaseError> {
        let slot = tokio::time::timeout(self.acquire_timeout, self.pool.slot())
            .await
            .map_err(|_| DatabaseError::PoolTimeout { waited_ms: self.acquire_timeout.as_millis() })?;
        let slot = slot.ok_or(DatabaseError::Closed)?;
        let is_cut = self.cuts.is_cut(Dependency::Database);
        if !is_cut && !self.is_pinned() {
            while let Some(session) = self.pool.take_idle() {
                if let Some(session) = session.if_alive(CONNECT_TIMEOUT).await {
                    return Ok(Session::new(session, slot, &self.pool));
                }
            }
        }
        let generation = self.pool.generation();
        let opened = self.log_in(APPLICATION_NAME).await?;
        // Under pinned credentials a session serves one call, so that each call must log in.
        let keep = !self.is_pinned();
        Ok(Session::new(self.pool.fresh(opened, generation, keep), slot, &self.pool))
    }

    /// A session outside the pool.
    ///
    /// # Errors
    /// [`DatabaseError`]. Refused credentials (28P01, 28000) are read again once, unless they are pinned or from the
    /// environment.
    pub(crate) fn open(&self, application_name: &'static str) -> BoxFuture<'_, Result<PgConnection, DatabaseError>> {
        self.log_in(application_name).map(|opened| opened.map(|(connection, _)| connection)).boxed()
    }

    fn log_in(
        &self,
        application_name: &'static str,
    ) -> BoxFuture<'_, Result<(PgConnection, Arc<Login>), DatabaseError>> {
        let open = async move {
            let login = self.login().await?;
            match self.connect(&login, application_name).await {
                Err(error)
                    if error.is_authentication() && self.credentials.can_be_read_again() && !self.is_pinned() =>
                {
                    tracing::info!("the database refused the credentials; reading the secret again");
                    let before = self.credentials.version();
                    let login = self.credentials.read_again(&login).await?;
                    self.follow_version(before.as_deref());
                    Ok((self.connect(&login, application_name).await?, login))
                }
                result => Ok((result?, login)),
            }
        };
        open.boxed()
    }

    async fn login(&self) -> Result<Arc<Login>, DatabaseError> {
        let before = self.credentials.version();
        let login =
            if self.is_pinned() { self.credentials.at_start().await? } else { self.credentials.current().await? };
        self.follow_version(before.as_deref());
        Ok(login)
    }

    /// Drops idle sessions when the secret has another version than before.
    fn follow_version(&self, before: Option<&str>) {
        let now = self.credentials.version();
        if before.is_some() && now.as_deref() != before {
            tracing::info!("the database secret has a new version; idle sessions are closed");
            self.drop_idle();
        }
    }

    /// Reads the secret once for the health probe; a new version takes effect.
    pub(crate) async fn probe_secret(&self) -> Result<(), CredentialsError> {
        let before = self.credentials.version();
        self.credentials.read().await?;
        self.follow_version(before.as_deref());
        Ok(())
    }

    async fn connect(&self, login: &Login, application_name: &'static str) -> Result<PgConnection, DatabaseError> {
        let (host, port) = match self.cuts.is_cut(Dependency::Database) {
            true => ("127.0.0.1", CLOSED_PORT),
            false => (login.host.as_str(), login.port),
        };
        let options = PgConnectOptions::new_without_pgpass()
            .host(host)
            .port(port)
            .username(&login.username)
            .password(&login.password)
            .database(&login.database)
            .ssl_mode(PgSslMode::Prefer)
            .application_name(application_name)
            .disable_statement_logging();
        let connect = async {
            let connect = sql("connect", PgConnection::connect_with(&options));
            let mut connection =
                tokio::time::timeout(CONNECT_TIMEOUT, connect).await.map_err(|_| DatabaseError::ConnectTimeout)??;
            let limit = sqlx::query("SELECT set_config('statement_timeout', $1, false)")
                .bind(self.statement_timeout_ms.to_string())
                .execute(&mut connection);
            sql("set statement_timeout", limit).await?;
            Ok(connection)
        };
        traced(connect_span(&login.database, host, port), connect).await
    }

    /// Pins the credentials to those read at start, or releases them. Idle sessions go either way.
    pub(crate) fn pin_credentials(&self, pinned: bool) {
        if self.pinned.swap(pinned, Ordering::AcqRel) != pinned {
            self.drop_idle();
        }
    }

    /// Whether the credentials are pinned.
    pub(crate) fn is_pinned(&self) -> bool {
        self.pinned.load(Ordering::Acquire)
    }

    /// Closes idle sessions now and the others when they come back.
    pub(crate) fn drop_idle(&self) {
        self.pool.start_over();
    }

    /// Sessions of the pool, and those of them that are idle.
    pub(crate) fn sessions(&self) -> (usize, usize) {
        self.pool.sessions()
    }

    /// Closes the pool; later calls fail.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Brings the schema up to date. Safe to run from many tasks at once: an advisory lock orders them.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn migrate(&self) -> BoxFuture<'_, Result<(), DatabaseError>> {
        let migrate = async move {
            let mut session = self.open(APPLICATION_NAME).await?;
            let result = migrate::run(&mut session).await;
            let _ = tokio::time::timeout(Duration::from_secs(1), session.close()).await;
            result
        };
        migrate.boxed()
    }

    /// Reads the credentials and tries the migration until both worked; readiness does not wait for it.
    pub(crate) async fn migrate_in_background(&self) {
        let mut pause = Duration::from_millis(200);
        loop {
            match self.migrate().await {
                Ok(()) => return tracing::info!("the schema is up to date"),
                Err(error @ DatabaseError::Credentials(CredentialsError::NotConfigured)) => {
                    return tracing::warn!(errorType = error.error_type().as_str(), "{}", error.detail());
                }
                Err(error) => tracing::warn!(
                    errorType = error.error_type().as_str(),
                    reason = %error.detail(),
                    "the schema could not be brought up to date; trying again"
                ),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(15));
        }
    }
}
