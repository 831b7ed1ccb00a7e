//! Errors of AWS WAF: code, message, and for an invalid parameter which one and why.

use serde_json::json;
use twin_platform::{AwsError, Response};

/// What a call answers instead of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    error: AwsError,
    /// `Reason`, `Field`, `Parameter` of `WAFInvalidParameterException`.
    details: Option<(&'static str, &'static str, String)>,
}

/// What is wrong with a parameter, as AWS says it.
pub(crate) mod reason {
    pub(crate) const NOT_ONE: &str =
        "You have used none or multiple values for a field that requires exactly one value.";
    pub(crate) const REFERENCE: &str = "A reference in your rule statement is not valid.";
    pub(crate) const FORMAT: &str = "The parameter contains formatting that is not valid.";
    pub(crate) const TOO_FEW: &str = "You haven't met a minimum requirement for a threshold setting. Examples include a rule group capacity setting that's too low and an OR statement with only one nested statement.";
    pub(crate) const CAPACITY: &str = "You exceeded the capacity limit for a rule group or web ACL.";
    pub(crate) const SCOPE: &str = "The scope is not valid.";
    pub(crate) const ARN: &str = "The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes.";
    pub(crate) const NESTED: &str = "You tried to nest a statement that can't be nested.";
    pub(crate) const DUPLICATE: &str = "The name or priority must be unique among the rules.";
}

/// A parameter that is not valid.
pub(crate) fn invalid(reason: &'static str, field: &'static str, parameter: impl Into<String>) -> Refusal {
    let parameter = parameter.into();
    let message = format!("Error reason: {reason}, field: {field}, parameter: {parameter}");
    Refusal {
        error: AwsError::client("WAFInvalidParameterException", message),
        details: Some((reason, field, parameter)),
    }
}

fn could_not(code: &str, because: &str) -> Refusal {
    AwsError::client(code, format!("AWS WAF couldn\u{2019}t perform the operation because {because}")).into()
}

pub(crate) fn nonexistent() -> Refusal {
    could_not("WAFNonexistentItemException", "your resource doesn\u{2019}t exist.")
}

pub(crate) fn duplicate() -> Refusal {
    could_not("WAFDuplicateItemException", "some resource in your request is a duplicate of an existing one.")
}

pub(crate) fn associated() -> Refusal {
    could_not(
        "WAFAssociatedItemException",
        "your resource is being used by another resource or it\u{2019}s associated with another resource.",
    )
}

pub(crate) fn limits() -> Refusal {
    could_not("WAFLimitsExceededException", "you exceeded your resource limit.")
}

pub(crate) fn locked() -> Refusal {
    let message = "AWS WAF couldn\u{2019}t save your changes because someone changed the resource after you started to edit it. Reapply your changes.";
    AwsError::client("WAFOptimisticLockException", message).into()
}

/// What AWS has and the twin has not.
pub(crate) fn not_imitated(what: &str) -> Refusal {
    AwsError::not_implemented("wafv2", what).into()
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Self {
        Self { error, details: None }
    }
}

impl Refusal {
    /// The error in AWS JSON.
    pub(crate) fn response(&self) -> Response {
        let mut response = self.error.json();
        if let Some((reason, field, parameter)) = &self.details {
            let AwsError { code, message, .. } = &self.error;
            let body = json!({
                "__type": code, "message": message, "Reason": reason, "Field": field, "Parameter": parameter,
            });
            response.body = body.to_string().into();
        }
        response
    }
}
