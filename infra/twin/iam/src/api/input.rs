//! What calls hand over: names, paths, documents and pages.

use twin_platform::{AwsError, query::Scope};

use crate::{
    document::Document,
    error::{constraint, invalid},
};

/// "The default is 100."
const PAGE: usize = 100;
const PAGE_MAX: usize = 1000;

/// A parameter that must be there. `member` is its name in AWS's messages.
pub(super) fn required<'a>(call: &Scope<'a>, name: &str, member: &str) -> Result<&'a str, AwsError> {
    let missing = || {
        invalid(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    };
    let value = call.get(name).ok_or_else(missing)?;
    if value.is_empty() {
        return Err(constraint(value, member, "have length greater than or equal to 1"));
    }
    Ok(value)
}

fn bounded<'a>(value: &'a str, member: &str, max: usize) -> Result<&'a str, AwsError> {
    match value.chars().count() > max {
        true => Err(constraint(value, member, &format!("have length less than or equal to {max}"))),
        false => Ok(value),
    }
}

fn named<'a>(call: &Scope<'a>, name: &str, member: &str, max: usize) -> Result<&'a str, AwsError> {
    let value = bounded(required(call, name, member)?, member, max)?;
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    match value.chars().all(letters) {
        true => Ok(value),
        false => Err(invalid(format!(
            "The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        ))),
    }
}

pub(super) fn role_name<'a>(call: &Scope<'a>) -> Result<&'a str, AwsError> {
    named(call, "RoleName", "roleName", 64)
}

pub(super) fn policy_name<'a>(call: &Scope<'a>) -> Result<&'a str, AwsError> {
    named(call, "PolicyName", "policyName", 128)
}

pub(super) fn policy_arn<'a>(call: &Scope<'a>) -> Result<&'a str, AwsError> {
    let arn = bounded(required(call, "PolicyArn", "policyArn")?, "policyArn", 2048)?;
    if arn.chars().count() < 20 {
        return Err(constraint(arn, "policyArn", "have length greater than or equal to 20"));
    }
    match arn.starts_with("arn:") && arn.split(':').count() >= 6 {
        true => Ok(arn),
        false => Err(crate::error::invalid_input(format!("ARN {arn} is not valid."))),
    }
}

/// `/` or `/…/`.
pub(super) fn path<'a>(call: &Scope<'a>) -> Result<&'a str, AwsError> {
    let Some(path) = call.get("Path") else { return Ok("/") };
    let path = bounded(path, "path", 512)?;
    let is_path = path == "/"
        || (path.len() > 2
            && path.starts_with('/')
            && path.ends_with('/')
            && path.bytes().all(|b| b.is_ascii_graphic()));
    match is_path {
        true => Ok(path),
        false => Err(invalid(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        )),
    }
}

pub(super) fn description(call: &Scope<'_>) -> Result<Option<String>, AwsError> {
    let given = call.get("Description").filter(|text| !text.is_empty());
    given.map(|text| bounded(text, "description", 1000).map(str::to_owned)).transpose()
}

pub(super) fn identity_document(call: &Scope<'_>) -> Result<Document, AwsError> {
    Document::identity(required(call, "PolicyDocument", "policyDocument")?)
}

pub(super) fn trust_document(call: &Scope<'_>, name: &str, member: &str) -> Result<Document, AwsError> {
    Document::trust(required(call, name, member)?)
}

pub(super) fn max_session(call: &Scope<'_>) -> Result<Option<u32>, AwsError> {
    let Some(seconds) = call.parsed::<u32>("MaxSessionDuration")? else { return Ok(None) };
    match seconds {
        0..3600 => Err(constraint(seconds, "maxSessionDuration", "have value greater than or equal to 3600")),
        43_201.. => Err(constraint(seconds, "maxSessionDuration", "have value less than or equal to 43200")),
        _ => Ok(Some(seconds)),
    }
}

/// `v3` is 3.
pub(super) fn version_id(call: &Scope<'_>) -> Result<u32, AwsError> {
    let id = required(call, "VersionId", "versionId")?;
    let number = id.strip_prefix('v').filter(|digits| !digits.starts_with('0')).and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| {
        constraint(id, "versionId", "satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?")
    })
}

/// The page after `Marker`, which is the last key of the page before, and that page's own marker.
pub(super) fn page<T>(
    call: &Scope<'_>,
    items: impl Iterator<Item = (String, T)>,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let size = match call.parsed::<usize>("MaxItems")? {
        None => PAGE,
        Some(size @ 1..=PAGE_MAX) => size,
        Some(size) => return Err(constraint(size, "maxItems", "have value between 1 and 1000")),
    };
    let after = call.get("Marker");
    let mut kept: Vec<_> =
        items.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).take(size + 1).collect();
    let more = kept.len() > size;
    kept.truncate(size);
    let marker = kept.last().filter(|_| more).map(|(key, _)| key.clone());
    Ok((kept.into_iter().map(|(_, item)| item).collect(), marker))
}
