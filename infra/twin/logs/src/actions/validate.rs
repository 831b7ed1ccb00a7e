//! The rules for names and numbers, and the words AWS refuses them with.

use twin_platform::AwsError;

/// Longest name of a group or a stream, in characters.
const MAX_NAME: usize = 512;

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterException", message)
}

fn constraint(value: &str, field: &str, rule: &str) -> AwsError {
    invalid(format!("1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {rule}"))
}

pub(super) fn group_name(name: &str) -> Result<(), AwsError> {
    let allowed = |next: char| next.is_ascii_alphanumeric() || ".-_/#".contains(next);
    length(name, "logGroupName")?;
    if !name.chars().all(allowed) {
        let rule = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+";
        return Err(constraint(name, "logGroupName", rule));
    }
    if name.starts_with("aws/") {
        return Err(invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    Ok(())
}

pub(super) fn stream_name(name: &str) -> Result<(), AwsError> {
    length(name, "logStreamName")?;
    if name.contains([':', '*']) {
        let rule = "Member must satisfy regular expression pattern: [^:*]*";
        return Err(constraint(name, "logStreamName", rule));
    }
    Ok(())
}

pub(super) fn filter_name(name: &str) -> Result<(), AwsError> {
    length(name, "filterName")?;
    if name.contains([':', '*']) {
        return Err(constraint(name, "filterName", "Member must satisfy regular expression pattern: [^:*]*"));
    }
    Ok(())
}

fn length(name: &str, field: &str) -> Result<(), AwsError> {
    if name.is_empty() {
        return Err(constraint(name, field, "Member must have length greater than or equal to 1"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(constraint(name, field, "Member must have length less than or equal to 512"));
    }
    Ok(())
}

/// A page size within 1 and `max`; `max` when none is asked for.
pub(super) fn limit(asked: Option<i64>, max: usize) -> Result<usize, AwsError> {
    let Some(asked) = asked else { return Ok(max) };
    match usize::try_from(asked) {
        Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
        Ok(limit) if limit > max => {
            Err(constraint(&asked.to_string(), "limit", &format!("Member must have value less than or equal to {max}")))
        }
        _ => Err(constraint(&asked.to_string(), "limit", "Member must have value greater than or equal to 1")),
    }
}

/// The group's name from `logGroupName` or from `logGroupIdentifier`, which is a name or an ARN; one of the two.
pub(super) fn group_of(name: Option<String>, identifier: Option<String>) -> Result<String, AwsError> {
    match (name, identifier) {
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => Ok(name_in(&identifier).to_owned()),
        (Some(_), Some(_)) => Err(invalid("logGroupName and logGroupIdentifier cannot both be specified; give one")),
        (None, None) => Err(invalid("one of logGroupName and logGroupIdentifier is required")),
    }
}

/// The name in `arn:aws:logs:region:account:log-group:name[:*]`, or the text itself when it is no ARN.
pub(super) fn name_in(identifier: &str) -> &str {
    let name = identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}

pub(super) fn bad_token() -> AwsError {
    invalid("The specified nextToken is invalid.")
}
