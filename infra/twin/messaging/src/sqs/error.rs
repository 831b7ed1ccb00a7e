//! SQS's errors: the code of the JSON protocol, and beside it the code of the query protocol that older programs look for.

use twin_platform::{AwsError, Response};

/// Codes that differ between the protocols (`awsQueryError` in the API's model).
const QUERY_CODES: [(&str, &str); 11] = [
    ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
    ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
    ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
    ("InvalidParameterValueException", "InvalidParameterValue"),
    ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
    ("MissingRequiredParameterException", "MissingParameter"),
    ("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"),
    ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    ("QueueNameExists", "QueueAlreadyExists"),
    ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
];

/// The code that the query protocol has for an error.
pub(super) fn query_code(code: &str) -> &str {
    QUERY_CODES.iter().find(|(json, _)| *json == code).map_or(code, |(_, query)| query)
}

/// The error in the JSON protocol, with the query protocol's code in `x-amzn-query-error`.
pub(super) fn render(error: &AwsError) -> Response {
    let mut response = error.json();
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    if let Ok(value) = format!("{};{fault}", query_code(&error.code)).parse() {
        response.headers.insert("x-amzn-query-error", value);
    }
    response
}

pub(super) fn no_queue() -> AwsError {
    AwsError::client("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterValueException", message)
}

/// The value of a parameter that is refused, and why, in AWS's words.
pub(super) fn bad_value(value: impl std::fmt::Display, parameter: &str, reason: &str) -> AwsError {
    invalid(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
}

pub(super) fn missing(parameter: &str) -> AwsError {
    let message = format!("The request must contain the parameter {parameter}.");
    AwsError::client("MissingRequiredParameterException", message)
}

pub(super) fn bad_receipt(handle: &str) -> AwsError {
    AwsError::client(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
    )
}
