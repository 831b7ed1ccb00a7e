//! Errors as callers see them: one status table, one body.
//!
//! Promises: the text of a 5xx is constant; what really happened rides along as a detail and reaches the log once, in the
//! request's own line.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use contract::ErrorType;
use http::{HeaderValue, StatusCode, header};

/// The status of each kind of error.
pub(crate) const fn status(error_type: ErrorType) -> StatusCode {
    match error_type {
        ErrorType::BadRequest => StatusCode::BAD_REQUEST,
        ErrorType::NotFound => StatusCode::NOT_FOUND,
        ErrorType::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorType::InternalError | ErrorType::InjectedFailure | ErrorType::InvalidFailureMode => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        ErrorType::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorType::ParameterUnavailable
        | ErrorType::Overloaded
        | ErrorType::NotReady
        | ErrorType::DependencyUnhealthy
        | ErrorType::DatabaseAuthenticationFailed
        | ErrorType::DatabaseConnectionsExhausted
        | ErrorType::DatabaseQueryCanceled
        | ErrorType::DatabaseConnectionLost
        | ErrorType::DatabasePoolTimeout
        | ErrorType::DatabaseError
        | ErrorType::SecretUnavailable
        | ErrorType::SecretInvalid => StatusCode::SERVICE_UNAVAILABLE,
    }
}

const fn public_message(error_type: ErrorType) -> &'static str {
    match error_type {
        ErrorType::BadRequest => "the request cannot be served",
        ErrorType::NotFound => "no such route; see / for the list",
        ErrorType::MethodNotAllowed => "this route does not take that method",
        ErrorType::InternalError | ErrorType::InjectedFailure | ErrorType::InvalidFailureMode => "internal error",
        ErrorType::DeadlineExceeded => "the request took too long",
        ErrorType::Overloaded => "too much work is waiting; try again later",
        ErrorType::NotReady => "the task is starting or stopping; try again",
        _ => "a dependency is not available; try again later",
    }
}

/// An error on its way to the caller.
#[derive(Debug, Clone)]
pub(crate) struct AppError {
    error_type: ErrorType,
    status: StatusCode,
    message: Option<String>,
    detail: Option<String>,
}

/// What the reply leaves for the log line.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) error_type: ErrorType,
    pub(crate) detail: Option<String>,
}

/// The body's shape, kept beside the reply until the request id is known.
#[derive(Debug, Clone)]
pub(crate) struct PendingBody {
    code: &'static str,
    message: String,
}

impl AppError {
    /// An error of this kind with the table's status and text.
    pub(crate) fn new(error_type: ErrorType) -> Self {
        Self { error_type, status: status(error_type), message: None, detail: None }
    }

    /// The caller's fault: the message is for the caller and names the thing, the value and the mend.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::new(ErrorType::BadRequest) }
    }

    /// Another status than the table's: for faults that name one.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// What really happened, for the log only.
    #[must_use]
    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[cfg(test)]
    pub(crate) fn error_type(&self) -> ErrorType {
        self.error_type
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        let message = self.message.unwrap_or_else(|| public_message(self.error_type).to_owned());
        let extensions = response.extensions_mut();
        extensions.insert(PendingBody { code: self.error_type.as_str(), message });
        extensions.insert(Logged { error_type: self.error_type, detail: self.detail });
        response
    }
}

impl PendingBody {
    /// Writes the body that was held back, now that the request id is known.
    pub(crate) fn fill(response: &mut Response, request_id: &str) {
        if let Some(pending) = response.extensions_mut().remove::<Self>() {
            let body = pending.render(request_id);
            // The router has already declared the length of the empty body.
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            *response.body_mut() = Body::from(body);
        }
    }

    fn render(&self, request_id: &str) -> String {
        let error = serde_json::json!({ "code": self.code, "message": self.message, "requestId": request_id });
        serde_json::json!({ "error": error }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_an_error_status_and_a_text_without_detail() {
        for kind in ErrorType::ALL {
            let error = AppError::new(kind).with_detail("password hunter2");
            let response = error.into_response();
            assert!(response.status().is_client_error() || response.status().is_server_error(), "{kind:?}");
            assert_eq!(
                response.headers().contains_key(header::RETRY_AFTER),
                response.status() == StatusCode::SERVICE_UNAVAILABLE
            );
            let body = response.extensions().get::<PendingBody>().expect("a body is pending").render("r-1");
            assert!(body.contains(kind.as_str()) && body.contains("r-1") && !body.contains("hunter2"), "{body}");
        }
    }
}
