//! A policy document: the text as it was given, and what the evaluator makes of it.

mod check;
mod normal;

use iam_rs::{IAMPolicy, PrincipalId, Validate as _};
use serde_json::Value;
use twin_platform::AwsError;

use crate::error::malformed;

/// The longest document that is read, in characters (`policyDocumentType` in the API's model).
const LENGTH_MAX: usize = 131_072;

/// What AWS says of a document that is no policy.
const SYNTAX: &str = "Syntax errors in policy.";

/// A checked document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) policy: IAMPolicy,
}

impl Document {
    /// A policy that says what its role may do.
    ///
    /// # Errors
    /// `MalformedPolicyDocument`, or `NotImplemented` for what the evaluator cannot decide.
    pub(crate) fn identity(text: &str) -> Result<Self, AwsError> {
        let value = read(text)?;
        check::identity(&value)?;
        Self::compile(text, value)
    }

    /// A policy that says who may assume its role.
    ///
    /// # Errors
    /// As [`Document::identity`].
    pub(crate) fn trust(text: &str) -> Result<Self, AwsError> {
        let mut value = read(text)?;
        check::trust(&value)?;
        // The evaluator wants a resource; in a trust policy it is the role itself.
        for statement in check::statements_mut(&mut value) {
            statement["Resource"] = "*".into();
        }
        Self::compile(text, value)
    }

    fn compile(text: &str, value: Value) -> Result<Self, AwsError> {
        let value = normal::form(value)?;
        let policy: IAMPolicy = serde_json::from_value(value).map_err(|_| malformed(SYNTAX))?;
        for statement in &policy.statement {
            statement.validate_result().map_err(|_| malformed(SYNTAX))?;
        }
        Ok(Self { text: text.to_owned(), policy })
    }

    /// How much of a quota it takes: "IAM doesn't count white space".
    pub(crate) fn size(&self) -> usize {
        self.text.chars().filter(|letter| !letter.is_whitespace()).count()
    }
}

fn read(text: &str) -> Result<Value, AwsError> {
    if text.chars().count() > LENGTH_MAX {
        return Err(malformed(format!("The policy is longer than {LENGTH_MAX} characters.")));
    }
    serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))
}

/// A service as the principal of a request.
pub(crate) fn service_principal(name: &str) -> iam_rs::Principal {
    iam_rs::Principal::Service(PrincipalId::String(name.to_owned()))
}
