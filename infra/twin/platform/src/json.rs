//! Input and output of the AWS JSON protocols.

use serde::{Serialize, de::DeserializeOwned};

use crate::AwsError;

/// Reads an input; an empty body is an empty object.
///
/// # Errors
/// `SerializationException` when it is no JSON of that shape.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| AwsError::client("SerializationException", error.to_string()))
}

/// Writes an output.
///
/// # Errors
/// `InternalFailure` when it cannot be written as JSON, which is a fault of ours.
pub fn write<T: Serialize>(output: &T) -> Result<Vec<u8>, AwsError> {
    serde_json::to_vec(output).map_err(|error| AwsError {
        status: 500,
        code: "InternalFailure".into(),
        message: error.to_string(),
    })
}
