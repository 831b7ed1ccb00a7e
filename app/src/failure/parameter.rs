//! One read of the failure-mode parameter.

use async_trait::async_trait;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use time::OffsetDateTime;

use crate::{
    aws::{PARAMETER_TIMEOUT, describe},
    telemetry::{aws_span, traced},
};

/// What the store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterValue {
    /// The text.
    pub value: String,
    /// Counts up with each write.
    pub version: i64,
    /// When it was written; `for_s` counts from here.
    pub last_modified: OffsetDateTime,
}

/// A read that gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// The store answered that there is no such parameter: nothing is broken.
    #[error("parameter {0} does not exist")]
    NotFound(String),
    /// No answer, or another one: the last value stays.
    #[error("reading parameter {name} failed: {reason}")]
    Failed {
        /// The parameter.
        name: String,
        /// One line, without the raw reply.
        reason: String,
    },
}

/// Where the parameter is read from.
#[async_trait]
pub(crate) trait ParameterStore: Send + Sync {
    /// Reads the parameter once, within the call's own bound.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read(&self) -> Result<ParameterValue, ReadError>;
}

/// SSM Parameter Store.
pub(crate) struct SsmParameter {
    client: aws_sdk_ssm::Client,
    name: String,
}

impl SsmParameter {
    /// The client must not retry: a retry would break the cache's rate.
    pub(crate) fn new(client: aws_sdk_ssm::Client, name: String) -> Self {
        Self { client, name }
    }

    fn failed(&self, reason: impl Into<String>) -> ReadError {
        ReadError::Failed { name: self.name.clone(), reason: reason.into() }
    }
}

#[async_trait]
impl ParameterStore for SsmParameter {
    async fn read(&self) -> Result<ParameterValue, ReadError> {
        traced(aws_span("SSM/GetParameter"), async {
            let call = self.client.get_parameter().name(&self.name).send();
            let output = match tokio::time::timeout(PARAMETER_TIMEOUT, call).await {
                Err(_) => return Err(self.failed(format!("no answer within {} ms", PARAMETER_TIMEOUT.as_millis()))),
                Ok(Err(error)) if error.as_service_error().is_some_and(GetParameterError::is_parameter_not_found) => {
                    return Err(ReadError::NotFound(self.name.clone()));
                }
                Ok(Err(error)) => return Err(self.failed(describe(&error))),
                Ok(Ok(output)) => output,
            };
            let parameter = output.parameter.ok_or_else(|| self.failed("the answer holds no parameter"))?;
            let last_modified = parameter
                .last_modified_date
                .and_then(|at| OffsetDateTime::from_unix_timestamp_nanos(at.as_nanos()).ok());
            Ok(ParameterValue {
                value: parameter.value.ok_or_else(|| self.failed("the answer holds no value"))?,
                version: parameter.version,
                last_modified: last_modified.ok_or_else(|| self.failed("the answer holds no date"))?,
            })
        })
        .await
    }
}
