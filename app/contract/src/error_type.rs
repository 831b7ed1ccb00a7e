//! The closed list of `errorType` values in the request log line. Metric filters, queries and runbooks match on these.

use serde::Serialize;

/// What went wrong with one request, as the log line names it. `None` in the log is JSON `null`: nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ErrorType {
    /// The caller sent something that cannot be served (400).
    BadRequest,
    /// No such route (404).
    NotFound,
    /// The route exists, the method does not (405).
    MethodNotAllowed,
    /// A bug, or a fault that is injected blind (500).
    InternalError,
    /// A fault that is injected openly.
    InjectedFailure,
    /// The failure-mode parameter was refused; behaviour is `none`.
    InvalidFailureMode,
    /// The failure-mode parameter could not be read.
    ParameterUnavailable,
    /// The work queue is full (503).
    Overloaded,
    /// Our own deadline passed (504).
    DeadlineExceeded,
    /// The process is starting or draining (503).
    NotReady,
    /// A dependency of the deep health check fails (503).
    DependencyUnhealthy,
    /// SQLSTATE 28P01 or 28000: the database refused the credentials.
    DatabaseAuthenticationFailed,
    /// SQLSTATE 53300: the database has no session left.
    DatabaseConnectionsExhausted,
    /// SQLSTATE 57014 or 55P03: the statement was cancelled or waited too long for a lock.
    DatabaseQueryCanceled,
    /// SQLSTATE class 08, 57P01…57P03, or a broken socket.
    DatabaseConnectionLost,
    /// The pool had no session in time.
    DatabasePoolTimeout,
    /// Any other SQLSTATE.
    DatabaseError,
    /// Secrets Manager did not give the secret.
    SecretUnavailable,
    /// The secret is not the JSON it should be.
    SecretInvalid,
}

impl ErrorType {
    /// Every value, in the order of declaration.
    pub const ALL: [Self; 19] = [
        Self::BadRequest,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::InternalError,
        Self::InjectedFailure,
        Self::InvalidFailureMode,
        Self::ParameterUnavailable,
        Self::Overloaded,
        Self::DeadlineExceeded,
        Self::NotReady,
        Self::DependencyUnhealthy,
        Self::DatabaseAuthenticationFailed,
        Self::DatabaseConnectionsExhausted,
        Self::DatabaseQueryCanceled,
        Self::DatabaseConnectionLost,
        Self::DatabasePoolTimeout,
        Self::DatabaseError,
        Self::SecretUnavailable,
        Self::SecretInvalid,
    ];

    /// The word in the log line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::InternalError => "InternalError",
            Self::InjectedFailure => "InjectedFailure",
            Self::InvalidFailureMode => "InvalidFailureMode",
            Self::ParameterUnavailable => "ParameterUnavailable",
            Self::Overloaded => "Overloaded",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::NotReady => "NotReady",
            Self::DependencyUnhealthy => "DependencyUnhealthy",
            Self::DatabaseAuthenticationFailed => "DatabaseAuthenticationFailed",
            Self::DatabaseConnectionsExhausted => "DatabaseConnectionsExhausted",
            Self::DatabaseQueryCanceled => "DatabaseQueryCanceled",
            Self::DatabaseConnectionLost => "DatabaseConnectionLost",
            Self::DatabasePoolTimeout => "DatabasePoolTimeout",
            Self::DatabaseError => "DatabaseError",
            Self::SecretUnavailable => "SecretUnavailable",
            Self::SecretInvalid => "SecretInvalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_serialized_form_and_none_is_missing() {
        for (index, error_type) in ErrorType::ALL.into_iter().enumerate() {
            assert_eq!(error_type as usize, index, "ALL is out of order at {error_type:?}");
            let json = serde_json::to_value(error_type).expect("a unit variant serializes");
            assert_eq!(json, error_type.as_str());
        }
    }
}
