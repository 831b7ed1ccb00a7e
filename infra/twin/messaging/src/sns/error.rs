//! SNS's errors, as its API reference and its answers word them.

use twin_platform::AwsError;

/// `InvalidParameter`; the message starts as AWS's does.
pub(super) fn invalid(what: impl std::fmt::Display) -> AwsError {
    AwsError::client("InvalidParameter", format!("Invalid parameter: {what}"))
}

pub(super) fn no_topic() -> AwsError {
    not_found("NotFound", "Topic does not exist")
}

pub(super) fn no_subscription() -> AwsError {
    not_found("NotFound", "Subscription does not exist")
}

pub(super) fn not_found(code: &str, message: &str) -> AwsError {
    AwsError { status: 404, code: code.into(), message: message.into() }
}

pub(super) fn refused(what: impl std::fmt::Display) -> AwsError {
    AwsError::not_implemented("sns", &what.to_string())
}
