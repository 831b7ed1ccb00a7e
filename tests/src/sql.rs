//! A database session, opened with the credentials that the lab's secret holds.

use contract::DatabaseSecret;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

/// One session that stays open: it still counts the others when the database takes no more log-ins.
pub struct Session {
    runtime: tokio::runtime::Runtime,
    connection: PgConnection,
}

impl Session {
    /// Logs in.
    ///
    /// # Errors
    /// As PostgreSQL answers.
    pub fn open(secret: &DatabaseSecret) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let options = PgConnectOptions::new()
            .host(&secret.host)
            .port(secret.port)
            .username(&secret.username)
            .password(&secret.password)
            .database(&secret.dbname)
            .application_name("test");
        let connection = runtime.block_on(PgConnection::connect_with(&options))?;
        Ok(Self { runtime, connection })
    }

    /// Sessions of the application's role with this application name.
    ///
    /// # Panics
    /// When the session is lost.
    pub fn count(&mut self, application_name: &str) -> i64 {
        let query = sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
            .bind(application_name);
        self.runtime.block_on(query.fetch_one(&mut self.connection)).expect("the test's own session lives")
    }

    /// Ends the sessions with this application name.
    ///
    /// # Panics
    /// When the session is lost.
    pub fn end_all(&mut self, application_name: &str) {
        let query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        let query = sqlx::query(query).bind(application_name);
        self.runtime.block_on(query.execute(&mut self.connection)).expect("the test's own session lives");
    }

    /// As [`Session::count`], those that are in the middle of a statement or wait for a lock.
    ///
    /// # Panics
    /// When the session is lost.
    pub fn count_active(&mut self, application_name: &str) -> i64 {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'";
        let query = sqlx::query_scalar(query).bind(application_name);
        self.runtime.block_on(query.fetch_one(&mut self.connection)).expect("the test's own session lives")
    }
}
