//! How each service says that it is asked too often, or that it cannot answer.

use twin_platform::AwsError;

fn error(status: u16, code: &str, message: &str) -> AwsError {
    AwsError { status, code: code.into(), message: message.into() }
}

/// "Common errors" of the service's API reference, and "Troubleshooting throttling" where it has one.
pub(super) fn throttled(service: &str) -> AwsError {
    match service {
        "s3" => error(503, "SlowDown", "Please reduce your request rate."),
        "xray" => error(429, "ThrottledException", "Rate exceeded"),
        "sqs" => error(403, "RequestThrottled", "Request is throttled."),
        "sns" => error(400, "Throttled", "Rate exceeded"),
        "elasticloadbalancing" | "iam" | "monitoring" | "rds" | "sts" => error(400, "Throttling", "Rate exceeded"),
        _ => error(400, "ThrottlingException", "Rate exceeded"),
    }
}

pub(super) fn unavailable(service: &str) -> AwsError {
    match service {
        "ecs" => error(500, "ServerException", "Service Unavailable. Please try again later."),
        "s3" => error(503, "ServiceUnavailable", "Service is unable to handle request."),
        "secretsmanager" => error(500, "InternalServiceError", "An error occurred on the server side."),
        "ssm" => error(500, "InternalServerError", "An error occurred on the server side."),
        "wafv2" => {
            error(500, "WAFInternalErrorException", "The service faulted; the request may succeed when repeated.")
        }
        "logs" | "xray" => error(503, "ServiceUnavailableException", "The service cannot complete the request."),
        _ => error(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
    }
}
