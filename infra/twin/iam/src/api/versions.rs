//! Versions of managed policies.

use time::OffsetDateTime;
use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{input, output};
use crate::{
    Iam,
    document::Document,
    error::{conflict, limit, no_such},
    managed::{Managed, VERSIONS_MAX, Version, is_of_aws},
};

/// "The size of each managed policy cannot exceed 6,144 characters."
const SIZE_MAX: usize = 6144;

pub(super) fn check_size(document: &Document) -> Result<(), AwsError> {
    match document.size() > SIZE_MAX {
        true => Err(limit(format!("Cannot exceed quota for PolicySize: {SIZE_MAX}"))),
        false => Ok(()),
    }
}

/// Nobody changes AWS's policies.
pub(super) fn check_own(arn: &str) -> Result<(), AwsError> {
    match is_of_aws(arn) {
        true => {
            let message = format!("User is not authorized to change the AWS managed policy {arn}");
            Err(AwsError { status: 403, code: "AccessDenied".into(), message })
        }
        false => Ok(()),
    }
}

pub(super) fn create(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = input::policy_arn(call)?;
    let document = input::identity_document(call)?;
    let set_default = call.parsed::<bool>("SetAsDefault")?.unwrap_or_default();
    check_own(arn)?;
    check_size(&document)?;
    let mut state = iam.state();
    let policy = state.policy_mut(arn)?;
    if policy.versions.len() >= VERSIONS_MAX {
        return Err(limit(format!(
            "A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must delete an existing version."
        )));
    }
    let (number, now) = (policy.next, OffsetDateTime::now_utc());
    policy.versions.insert(number, Version { document, created: now });
    (policy.next, policy.updated) = (number + 1, now);
    if set_default {
        policy.default = number;
    }
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| members(xml, policy, number, now));
    state.recompile_holders(arn);
    Ok(xml)
}

fn members(xml: &mut Xml, policy: &Managed, number: u32, created: OffsetDateTime) {
    xml.text("VersionId", format!("v{number}")).text("IsDefaultVersion", policy.default == number);
    output::created(xml, created);
}

fn missing(number: u32) -> AwsError {
    no_such(format!("Policy version v{number} does not exist or is not attachable."))
}

pub(super) fn get(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (arn, number) = (input::policy_arn(call)?, input::version_id(call)?);
    let state = iam.state();
    let policy = state.policy(arn)?;
    let version = policy.versions.get(&number).ok_or_else(|| missing(number))?;
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| {
        xml.text("Document", output::encoded(&version.document.text));
        members(xml, policy, number, version.created);
    });
    Ok(xml)
}

pub(super) fn list(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = iam.state();
    let policy = state.policy(input::policy_arn(call)?)?;
    let versions = policy.versions.iter().map(|(number, version)| (format!("{number:010}"), (*number, version)));
    let (versions, marker) = input::page(call, versions)?;
    let mut xml = Xml::new();
    xml.list("Versions", versions, |xml, (number, version)| members(xml, policy, number, version.created));
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}

pub(super) fn set_default(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (arn, number) = (input::policy_arn(call)?, input::version_id(call)?);
    check_own(arn)?;
    let mut state = iam.state();
    let policy = state.policy_mut(arn)?;
    if !policy.versions.contains_key(&number) {
        return Err(missing(number));
    }
    (policy.default, policy.updated) = (number, OffsetDateTime::now_utc());
    state.recompile_holders(arn);
    Ok(Xml::new())
}

pub(super) fn delete(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (arn, number) = (input::policy_arn(call)?, input::version_id(call)?);
    check_own(arn)?;
    let mut state = iam.state();
    let policy = state.policy_mut(arn)?;
    if policy.default == number {
        return Err(conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(&number).ok_or_else(|| missing(number))?;
    Ok(Xml::new())
}
