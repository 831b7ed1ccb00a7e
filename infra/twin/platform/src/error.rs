//! Errors as AWS words and shapes them, for the JSON and the query protocols.

use crate::Response;

/// An error that a service answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// HTTP status.
    pub status: u16,
    /// Error code as the service's API reference has it.
    pub code: String,
    /// One line for a person.
    pub message: String,
}

impl AwsError {
    /// The caller's fault: HTTP 400.
    pub fn client(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.into(), message: message.into() }
    }

    /// The honesty rule: an action the twin does not imitate is refused by name, never answered with a made-up success.
    pub fn not_implemented(service: &str, action: &str) -> Self {
        Self {
            status: 501,
            code: "NotImplemented".into(),
            message: format!("{service}:{action} is not imitated by the twin; infra/twin/README.md lists what is"),
        }
    }

    /// The error in the AWS JSON protocols.
    pub fn json(&self) -> Response {
        let mut response = winterbaume_core::json_error_response(self.status, &self.code, &self.message);
        if let Ok(code) = self.code.parse() {
            response.headers.insert("x-amzn-errortype", code);
        }
        response
    }

    /// The error in the AWS query protocol (XML).
    pub fn xml(&self) -> Response {
        let escape = winterbaume_core::xml_escape;
        Response::error(self.status, &escape(&self.code), &escape(&self.message))
    }
}
