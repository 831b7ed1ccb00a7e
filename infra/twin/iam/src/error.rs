//! IAM's errors, as its API reference and its answers word them.

use std::fmt::Display;

use twin_platform::AwsError;

pub(crate) fn malformed(message: impl Into<String>) -> AwsError {
    AwsError::client("MalformedPolicyDocument", message)
}

pub(crate) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("ValidationError", message)
}

/// A value that breaks a constraint of the API's model.
pub(crate) fn constraint(value: impl Display, member: &str, must: &str) -> AwsError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {must}"
    ))
}

pub(crate) fn invalid_input(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidInput", message)
}

pub(crate) fn no_such(message: impl Into<String>) -> AwsError {
    AwsError { status: 404, code: "NoSuchEntity".into(), message: message.into() }
}

pub(crate) fn no_role(name: &str) -> AwsError {
    no_such(format!("The role with name {name} cannot be found."))
}

pub(crate) fn no_policy(arn: &str) -> AwsError {
    no_such(format!("Policy {arn} was not found."))
}

pub(crate) fn exists(message: impl Into<String>) -> AwsError {
    AwsError { status: 409, code: "EntityAlreadyExists".into(), message: message.into() }
}

pub(crate) fn conflict(message: impl Into<String>) -> AwsError {
    AwsError { status: 409, code: "DeleteConflict".into(), message: message.into() }
}

pub(crate) fn limit(message: impl Into<String>) -> AwsError {
    AwsError { status: 409, code: "LimitExceeded".into(), message: message.into() }
}

pub(crate) fn refused(what: impl Display) -> AwsError {
    AwsError::not_implemented("iam", &what.to_string())
}
