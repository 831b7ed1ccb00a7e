//! Tags of roles and policies.

use std::collections::BTreeMap;

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{input, output};
use crate::{
    Iam,
    error::{constraint, invalid_input, limit},
};

/// Most tags of a role or a policy.
const MAX: usize = 50;

type Tags = BTreeMap<String, String>;

/// The `Tags` of a call.
pub(super) fn read(call: &Scope<'_>) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for tag in call.list("Tags") {
        let (key, value) = (input::required(&tag, "Key", "tags.member.key")?, tag.get("Value").unwrap_or_default());
        if key.chars().count() > 128 {
            return Err(constraint(key, "tags.member.key", "have length less than or equal to 128"));
        }
        if value.chars().count() > 256 {
            return Err(constraint(value, "tags.member.value", "have length less than or equal to 256"));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid_input("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
        }
    }
    within_limit(&tags)?;
    Ok(tags)
}

fn within_limit(tags: &Tags) -> Result<(), AwsError> {
    match tags.len() > MAX {
        true => Err(limit(format!("The number of tags has reached the maximum limit of {MAX}."))),
        false => Ok(()),
    }
}

fn add(held: &mut Tags, new: Tags) -> Result<Xml, AwsError> {
    let mut tags = held.clone();
    tags.extend(new);
    within_limit(&tags)?;
    *held = tags;
    Ok(Xml::new())
}

fn remove(held: &mut Tags, call: &Scope<'_>) -> Xml {
    let keys = call.texts("TagKeys");
    held.retain(|key, _| !keys.contains(&key.as_str()));
    Xml::new()
}

fn listed(held: &Tags, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (tags, marker) = input::page(call, held.iter().map(|tag| (tag.0.clone(), tag)))?;
    let mut xml = Xml::new();
    output::tags(&mut xml, tags.into_iter());
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}

pub(super) fn tag_role(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (name, new) = (input::role_name(call)?, read(call)?);
    add(&mut iam.state().role_mut(name)?.tags, new)
}

pub(super) fn untag_role(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    Ok(remove(&mut iam.state().role_mut(input::role_name(call)?)?.tags, call))
}

pub(super) fn of_role(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    listed(&iam.state().role(input::role_name(call)?)?.tags, call)
}

pub(super) fn tag_policy(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (arn, new) = (input::policy_arn(call)?, read(call)?);
    super::versions::check_own(arn)?;
    add(&mut iam.state().policy_mut(arn)?.tags, new)
}

pub(super) fn untag_policy(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    Ok(remove(&mut iam.state().policy_mut(input::policy_arn(call)?)?.tags, call))
}

pub(super) fn of_policy(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    listed(&iam.state().policy(input::policy_arn(call)?)?.tags, call)
}
