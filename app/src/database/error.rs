//! Database errors by SQLSTATE.
//!
//! Source of the codes: "PostgreSQL Error Codes", appendix A of the PostgreSQL manual. Texts differ between major versions
//! and languages, so none is looked at.

use std::{error::Error, future::Future, io};

use contract::ErrorType;

use super::CredentialsError;
use crate::error::AppError;

/// A call to the database that failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The database, or the way to it, answered with an error.
    #[error("{operation} failed")]
    Sql {
        /// The statement's name.
        operation: &'static str,
        /// What sqlx says.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the migration failed")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// All sessions of this task were in use.
    #[error("no session of the pool came free within {waited_ms} ms")]
    PoolTimeout {
        /// How long was waited.
        waited_ms: u128,
    },
    /// No answer to a log-in.
    #[error("connecting took too long")]
    ConnectTimeout,
    /// The task is stopping.
    #[error("the pool is closed")]
    Closed,
    /// No credentials to log in with.
    #[error("no credentials")]
    Credentials(#[from] CredentialsError),
    /// The task running the call ended early.
    #[error("the call was abandoned")]
    Abandoned,
}

/// Names a statement's error after its operation.
pub(crate) async fn sql<T>(
    operation: &'static str,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DatabaseError> {
    statement.await.map_err(|source| DatabaseError::Sql { operation, source })
}

impl DatabaseError {
    /// The kind, as the log line and the status table know it.
    pub fn error_type(&self) -> ErrorType {
        match self {
            Self::Sql { source, .. } => of_sqlx(source),
            Self::Migration(source) => source
                .source()
                .and_then(|cause| cause.downcast_ref::<sqlx::Error>())
                .map_or(ErrorType::DatabaseError, of_sqlx),
            Self::PoolTimeout { .. } => ErrorType::DatabasePoolTimeout,
            Self::ConnectTimeout => ErrorType::DatabaseConnectionLost,
            Self::Closed => ErrorType::NotReady,
            Self::Credentials(error) => error.error_type(),
            Self::Abandoned => ErrorType::InternalError,
        }
    }

    /// Whether the database refused the credentials.
    pub(crate) fn is_authentication(&self) -> bool {
        self.error_type() == ErrorType::DatabaseAuthenticationFailed
    }

    /// Whether a table is missing (42P01): the migration has not run here yet.
    pub(super) fn is_missing_table(&self) -> bool {
        matches!(self, Self::Sql { source, .. } if sqlstate(source).as_deref() == Some("42P01"))
    }

    /// One line for the log: the operation, the SQLSTATE and the chain of causes.
    pub fn detail(&self) -> String {
        let mut text = self.to_string();
        if let Self::Sql { source, .. } = self
            && let Some(code) = sqlstate(source)
        {
            text.push_str(&format!(" with SQLSTATE {code}"));
        }
        let mut cause = self.source();
        while let Some(error) = cause {
            let line = error.to_string();
            if !text.ends_with(&line) {
                text.push_str(": ");
                text.push_str(&line);
            }
            cause = error.source();
        }
        text
    }
}

impl From<DatabaseError> for AppError {
    fn from(error: DatabaseError) -> Self {
        Self::new(error.error_type()).with_detail(error.detail())
    }
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(Into::into)
}

fn of_sqlx(error: &sqlx::Error) -> ErrorType {
    match (sqlstate(error), error) {
        (Some(code), _) => of_sqlstate(&code),
        (None, sqlx::Error::Io(_)) => ErrorType::DatabaseConnectionLost,
        (None, sqlx::Error::Tls(source)) if source.downcast_ref::<io::Error>().is_some() => {
            ErrorType::DatabaseConnectionLost
        }
        _ => ErrorType::DatabaseError,
    }
}

/// The kind of a SQLSTATE.
fn of_sqlstate(code: &str) -> ErrorType {
    match code {
        "28P01" | "28000" => ErrorType::DatabaseAuthenticationFailed,
        "53300" => ErrorType::DatabaseConnectionsExhausted,
        "57014" | "55P03" => ErrorType::DatabaseQueryCanceled,
        "57P01" | "57P02" | "57P03" => ErrorType::DatabaseConnectionLost,
        code if code.starts_with("08") => ErrorType::DatabaseConnectionLost,
        _ => ErrorType::DatabaseError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_the_kind() {
        for (code, wanted) in [
            ("28P01", ErrorType::DatabaseAuthenticationFailed),
            ("28000", ErrorType::DatabaseAuthenticationFailed),
            ("53300", ErrorType::DatabaseConnectionsExhausted),
            ("57014", ErrorType::DatabaseQueryCanceled),
            ("55P03", ErrorType::DatabaseQueryCanceled),
            ("57P01", ErrorType::DatabaseConnectionLost),
            ("08006", ErrorType::DatabaseConnectionLost),
            ("42P01", ErrorType::DatabaseError),
        ] {
            assert_eq!(of_sqlstate(code), wanted, "{code}");
        }
        let refused = sqlx::Error::Io(io::Error::from(io::ErrorKind::ConnectionRefused));
        let error = DatabaseError::Sql { operation: "connect", source: refused };
        assert_eq!(error.error_type(), ErrorType::DatabaseConnectionLost);
        assert!(error.detail().starts_with("connect failed: "), "{}", error.detail());
    }
}
