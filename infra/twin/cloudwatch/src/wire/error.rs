//! Errors in the shape of the protocol that asked.

use twin_platform::{AwsError, Response};

use super::{Protocol, Value, cbor, json};

/// The query protocol's codes whose shape has another name in the model (botocore's and Smithy's `awsQueryError`).
const SHAPES: [(&str, &str); 9] = [
    ("InternalServiceError", "InternalServiceFault"),
    ("InvalidFormat", "InvalidFormatFault"),
    ("InvalidParameterCombination", "InvalidParameterCombinationException"),
    ("InvalidParameterInput", "DashboardInvalidInputError"),
    ("InvalidParameterValue", "InvalidParameterValueException"),
    ("LimitExceeded", "LimitExceededFault"),
    ("MissingParameter", "MissingRequiredParameterException"),
    ("DashboardNotFound", "DashboardNotFoundError"),
    ("ResourceNotFound", "ResourceNotFound"),
];

/// A missing dashboard has the code of a missing alarm in XML, and a shape of its own elsewhere.
pub(crate) const DASHBOARD_NOT_FOUND: &str = "DashboardNotFound";

pub(super) fn answer(protocol: Protocol, failure: &AwsError) -> Response {
    let code = if failure.code == DASHBOARD_NOT_FOUND { "ResourceNotFound" } else { &failure.code };
    if protocol == Protocol::Query {
        return AwsError { code: code.to_owned(), ..failure.clone() }.xml();
    }
    let shape = SHAPES.iter().find(|(known, _)| *known == failure.code).map_or(code, |(_, shape)| shape);
    let namespaced = format!("com.amazonaws.cloudwatch#{shape}");
    let body = Value::map([("__type", namespaced.into()), ("message", failure.message.as_str().into())]);
    let mut response = match protocol {
        Protocol::Cbor => Response::cbor(failure.status, cbor::write(&body)),
        Protocol::Json | Protocol::Query => Response::json(failure.status, json::write(&body)),
    };
    let side = if failure.status >= 500 { "Receiver" } else { "Sender" };
    if let Ok(header) = format!("{code};{side}").parse() {
        response.headers.insert("x-amzn-query-error", header);
    }
    response
}
