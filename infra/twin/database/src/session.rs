//! One short session with the server: log in, do one thing, leave.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
    postgres::{PgConnectOptions, PgRow, PgSslMode},
};

use crate::Credentials;

/// A server that accepts but never answers must not hold a rotation for ever; a log-in here takes a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// A session that failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The log-in.
    #[error("logging in to PostgreSQL as {role}")]
    LogIn {
        /// The role.
        role: String,
        /// What the server, or the network, said.
        #[source]
        source: sqlx::Error,
    },
    /// A statement.
    #[error("{operation}")]
    Statement {
        /// What was tried.
        operation: &'static str,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// No answer in time.
    #[error("PostgreSQL did not answer within {} s", PATIENCE.as_secs())]
    TimedOut,
}

impl SessionError {
    /// The server's SQLSTATE, if it was the server that refused.
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::LogIn { source, .. } | Self::Statement { source, .. } => {
                source.as_database_error()?.code().map(|code| code.into_owned())
            }
            Self::TimedOut => None,
        }
    }

    /// Whether role or password were refused (SQLSTATE class 28), not the session as such.
    pub fn is_refused_login(&self) -> bool {
        self.sqlstate().is_some_and(|code| code.starts_with("28"))
    }
}

/// An open session.
pub(crate) struct Session(PgConnection);

impl Session {
    pub(crate) async fn open(credentials: &Credentials) -> Result<Self, SessionError> {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&credentials.host)
            .port(credentials.port)
            .username(&credentials.username)
            .password(&credentials.password)
            .database(&credentials.dbname)
            .ssl_mode(PgSslMode::Disable)
            .application_name("twin")
            // sqlx would write whole statements, and so passwords, to the log.
            .disable_statement_logging();
        let role = || credentials.username.clone();
        let connection = tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options))
            .await
            .map_err(|_| SessionError::TimedOut)?
            .map_err(|source| SessionError::LogIn { role: role(), source })?;
        Ok(Self(connection))
    }

    /// The server's version: `15.14`.
    pub(crate) async fn version(&mut self) -> Result<String, SessionError> {
        let shown: String = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&mut self.0)
            .await
            .map_err(|source| SessionError::Statement { operation: "asking for the server's version", source })?;
        // Debian appends its own version in parentheses.
        Ok(shown.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// The one row of a statement of ours.
    pub(crate) async fn row(
        &mut self,
        operation: &'static str,
        statement: &'static str,
    ) -> Result<PgRow, SessionError> {
        let row = sqlx::query(statement).fetch_one(&mut self.0).await;
        row.map_err(|source| SessionError::Statement { operation, source })
    }

    /// Runs a statement made of a template for PostgreSQL's own `format()` (`%I` identifier, `%L` literal): the server quotes.
    pub(crate) async fn run(
        &mut self,
        operation: &'static str,
        template: &str,
        arguments: &[&str],
    ) -> Result<(), SessionError> {
        let failed = |source| SessionError::Statement { operation, source };
        // Else a failed statement would be written to the server's log with the password in it.
        self.0.execute("SET log_min_error_statement = panic").await.map_err(failed)?;
        let statement: String = sqlx::query_scalar("SELECT format($1, VARIADIC $2::text[])")
            .bind(template)
            .bind(arguments)
            .fetch_one(&mut self.0)
            .await
            .map_err(failed)?;
        self.0.execute(AssertSqlSafe(statement)).await.map_err(failed)?;
        Ok(())
    }

    /// Whether the role exists.
    pub(crate) async fn role_exists(&mut self, role: &str) -> Result<bool, SessionError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
            .bind(role)
            .fetch_one(&mut self.0)
            .await
            .map_err(|source| SessionError::Statement { operation: "looking for the role", source })
    }

    pub(crate) async fn close(self) {
        // The session ends with the connection in any case; closing tells the server first.
        let _ = self.0.close().await;
    }
}
