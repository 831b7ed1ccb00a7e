//! Input and output of the AWS JSON protocols.

use http::{HeaderMap, HeaderValue};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{AwsError, Request, Service};

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

/// One action of a service of the twin, asked by another as a client would. `target` is the value of `X-Amz-Target`.
///
/// # Errors
/// What the service answers.
pub async fn ask<S: Service + ?Sized>(service: &S, target: &str, input: &Value) -> Result<Value, AwsError> {
    let mut headers = HeaderMap::new();
    let named = HeaderValue::from_str(target);
    headers.insert("x-amz-target", named.map_err(|_| AwsError::not_implemented(service.service_name(), "?"))?);
    let request = Request { method: "POST".into(), uri: "/".into(), headers, body: input.to_string().into() };
    let response = service.handle(request).await;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.status == 200 {
        return Ok(body);
    }
    let member = |name: &str| body[name].as_str().unwrap_or_default();
    // Some protocols write the code as `com.amazonaws.<service>#<code>`.
    let code = member("__type").rsplit('#').next().unwrap_or_default().to_owned();
    Err(AwsError { status: response.status, code, message: member("message").to_owned() })
}
