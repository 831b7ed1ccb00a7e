//! An SDK error in one line.
//!
//! Refuses the SDK's own debug text: it holds the raw response, and a response of Secrets Manager holds a secret.

use std::error::Error;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};

/// `<code>: <message>` for an answer of the service, else the chain of causes.
pub(crate) fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    if let SdkError::ServiceError(service) = error {
        let code = service.err().code().unwrap_or("UnknownError");
        return match service.err().message() {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        };
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ssm::operation::get_parameter::GetParameterError;

    #[test]
    fn the_causes_are_named_and_the_raw_reply_is_not() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = SdkError::<GetParameterError, String>::timeout_error(refused);
        assert!(describe(&error).contains("connection refused"), "{}", describe(&error));
        let inner = GetParameterError::generic(
            aws_sdk_ssm::error::ErrorMetadata::builder().code("ThrottlingException").message("Rate exceeded").build(),
        );
        let error = SdkError::service_error(inner, "hunter2".to_owned());
        assert_eq!(describe(&error), "ThrottlingException: Rate exceeded");
    }
}
