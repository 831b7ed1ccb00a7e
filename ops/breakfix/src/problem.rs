//! Errors that carry the line that mends them, and the exit code they end with.

use std::{error::Error, fmt};

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};

use crate::commands::own_name;

/// A failure in words for a person.
#[derive(Debug)]
pub(crate) struct Problem {
    message: String,
    /// What to run or change.
    pub hint: Option<String>,
    /// 1 for a failed action or check, 2 for a command line that cannot be carried out.
    pub exit: u8,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Problem {}

impl Problem {
    /// The problem inside an error, however deep.
    pub(crate) fn of(error: &anyhow::Error) -> Option<&Self> {
        error.chain().find_map(|cause| cause.downcast_ref())
    }
}

/// Something failed; `hint` mends it.
pub(crate) fn failure(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Problem { message: message.into(), hint: Some(hint.into()), exit: 1 }.into()
}

/// The command line asks for something that cannot be.
pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Problem { message: message.into(), hint: Some(hint.into()), exit: 2 }.into()
}

/// A failed AWS call: what was tried, then AWS's code and message, or why no answer came. Never the raw response, which can
/// hold a secret.
pub(crate) fn aws<E, R>(operation: &'static str, error: SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + 'static,
    R: fmt::Debug + 'static,
{
    let error = reset::AwsError::from_sdk(operation)(error);
    let own = own_name();
    let hint = if error.is_unanswered() {
        format!("is the lab running? `{own} up` starts it; with AWS_ENDPOINT_URL or an AWS profile set, those decide")
    } else {
        format!("`{own} status` shows what is there; `{own} doctor` checks what the lab needs")
    };
    failure(error.to_string(), hint)
}
