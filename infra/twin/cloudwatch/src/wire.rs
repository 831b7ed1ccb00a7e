//! The three protocols CloudWatch speaks, chosen by a request's headers, over one form of value.
//!
//! Promises: an action is written once and answers the query protocol (XML), AWS JSON 1.0 and Smithy RPC v2 CBOR alike, and
//! errors keep the shape of the protocol that asked. Refuses: bodies past [`MOST_BODY_BYTES`] once unpacked, and nesting past
//! [`MOST_DEPTH`]. AWS's page: "Amazon CloudWatch API Reference, Making API requests"; Smithy's: "Smithy RPC v2 CBOR protocol".

pub(crate) mod cbor;
mod error;
mod form;
mod gunzip;
mod json;
pub(crate) mod moment;
pub(crate) mod value;
mod xml;

use twin_platform::{AwsError, Request, Response};

pub(crate) use error::DASHBOARD_NOT_FOUND;
pub(crate) use value::Value;

/// The name before the dot of `X-Amz-Target`, and in the path of RPC v2.
const TARGET: &str = "GraniteServiceVersion20100801";

/// A request's body once unpacked: sixteen times the megabyte that AWS lets `PutMetricData` send.
const MOST_BODY_BYTES: usize = 16 << 20;

/// Levels of lists and structures; CloudWatch's deepest input has seven.
const MOST_DEPTH: usize = 32;

/// How a caller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Form in, XML out: older SDKs, the aws CLI before 2.30, `curl`.
    Query,
    /// AWS JSON 1.0.
    Json,
    /// Smithy RPC v2 CBOR: boto3, aws-sdk-rust.
    Cbor,
}

/// One call, read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) protocol: Protocol,
    pub(crate) action: String,
    pub(crate) input: Value,
}

impl Protocol {
    /// By headers and path alone, so that even a body that cannot be read is answered in the caller's shape.
    pub(crate) fn of(request: &Request) -> Self {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if header("smithy-protocol") == "rpc-v2-cbor" {
            Self::Cbor
        } else if header("x-amz-target").starts_with(TARGET) {
            Self::Json
        } else {
            Self::Query
        }
    }

    /// Reads a call.
    pub(crate) fn read(self, request: &Request) -> Result<Call, AwsError> {
        let body = gunzip::body(request)?;
        let (action, input) = match self {
            Self::Query => {
                let query = if body.is_empty() { query_of(&request.uri).as_bytes() } else { &body };
                form::read(query)?
            }
            Self::Json => {
                let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
                let action = target.and_then(|target| target.strip_prefix(TARGET)?.strip_prefix('.'));
                (action.unwrap_or_default().to_owned(), json::read(&body)?)
            }
            Self::Cbor => {
                let path = request.uri.split('?').next().unwrap_or_default();
                let action = path.rsplit_once("/operation/").map_or("", |(_, action)| action);
                (action.to_owned(), if body.is_empty() { Value::Map(Vec::new()) } else { cbor::read(&body)? })
            }
        };
        if action.is_empty() {
            return Err(AwsError::client("MissingAction", "The request names no action of the API of 2010-08-01"));
        }
        Ok(Call { protocol: self, action, input })
    }

    /// An answer. `output` is what the action returns, without its result wrapper.
    pub(crate) fn answer(self, action: &str, output: &Value) -> Response {
        match self {
            Self::Query => xml::answer(action, output),
            Self::Json => Response::json(200, json::write(output)),
            Self::Cbor => Response::cbor(200, cbor::write(output)),
        }
    }

    /// An error, with the code of the query protocol in the header that JSON and CBOR clients read it from.
    pub(crate) fn error(self, failure: &AwsError) -> Response {
        error::answer(self, failure)
    }
}

fn query_of(uri: &str) -> &str {
    uri.split_once('?').map_or("", |(_, query)| query)
}

/// A body that is not what its protocol says.
fn malformed(message: impl Into<String>) -> AwsError {
    AwsError::client("SerializationException", message)
}
