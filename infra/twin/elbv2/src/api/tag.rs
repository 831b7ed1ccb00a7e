//! Tags of load balancers, listeners, rules and target groups.

use std::collections::BTreeMap;

use twin_platform::AwsError;

use crate::{
    Elbv2,
    query::{Scope, invalid},
    state::{State, not_found_balancer, not_found_listener, not_found_rule},
    xml::Xml,
};

/// Adds or replaces tags.
pub(super) fn add(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let tags = read(call)?;
    if tags.is_empty() {
        return Err(invalid("'Tags' is required"));
    }
    let mut state = elbv2.state();
    for arn in resources(&state, call)? {
        put(&mut state, arn, tags.clone());
    }
    Ok(Xml::new())
}

/// Removes tags by key.
pub(super) fn remove(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let mut state = elbv2.state();
    for arn in resources(&state, call)? {
        if let Some(tags) = state.tags.get_mut(arn) {
            for key in call.texts("TagKeys") {
                tags.remove(key);
            }
        }
    }
    Ok(Xml::new())
}

/// Describes tags.
pub(super) fn describe(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = elbv2.state();
    let mut xml = Xml::new();
    xml.list("TagDescriptions", resources(&state, call)?, |xml, arn| {
        let tags = state.tags.get(arn).into_iter().flatten();
        xml.text("ResourceArn", arn).list("Tags", tags, |xml, (key, value)| {
            xml.text("Key", key).text("Value", value);
        });
    });
    Ok(xml)
}

/// The `Tags` of a call.
pub(super) fn read(call: &Scope<'_>) -> Result<BTreeMap<String, String>, AwsError> {
    let mut tags = BTreeMap::new();
    for tag in call.list("Tags") {
        let key = tag.require("Key")?.to_owned();
        if let Some(_earlier) = tags.insert(key.clone(), tag.get("Value").unwrap_or_default().to_owned()) {
            return Err(AwsError::client("DuplicateTagKeys", format!("The tag key '{key}' was given more than once")));
        }
    }
    if tags.len() > 50 {
        return Err(AwsError::client("TooManyTags", "A resource can have at most 50 tags"));
    }
    Ok(tags)
}

/// Adds tags to what the ARN names.
pub(super) fn put(state: &mut State, arn: &str, tags: BTreeMap<String, String>) {
    if !tags.is_empty() {
        state.tags.entry(arn.to_owned()).or_default().extend(tags);
    }
}

fn resources<'a>(state: &State, call: &Scope<'a>) -> Result<Vec<&'a str>, AwsError> {
    let arns = call.texts("ResourceArns");
    if arns.is_empty() {
        return Err(invalid("'ResourceArns' is required"));
    }
    match arns.iter().find(|arn| !state.knows(arn)) {
        None => Ok(arns),
        Some(lost) if lost.contains(":targetgroup/") => Err(state.group(lost).err().unwrap_or_else(|| invalid(*lost))),
        Some(lost) if lost.contains(":listener-rule/") => Err(not_found_rule(lost)),
        Some(lost) if lost.contains(":listener/") => Err(not_found_listener(lost)),
        Some(lost) => Err(not_found_balancer(lost)),
    }
}
