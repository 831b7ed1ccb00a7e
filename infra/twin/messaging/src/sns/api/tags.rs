//! Tags of topics.

use std::collections::BTreeMap;

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::required;
use crate::sns::{
    Sns,
    error::{invalid, not_found},
    state::{State, Topic},
};

/// Most tags of a topic.
const MAX_TAGS: usize = 50;

/// The `Tags` of a call.
pub(super) fn read(call: &Scope<'_>) -> Result<BTreeMap<String, String>, AwsError> {
    let mut tags = BTreeMap::new();
    for tag in call.list("Tags") {
        let (key, value) = (required(&tag, "Key")?, tag.get("Value").unwrap_or_default());
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid("Tags Reason: a tag key has 1 to 128 characters, a tag value at most 256"));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid("Duplicated keys are not allowed."));
        }
    }
    within_limit(&tags)?;
    Ok(tags)
}

fn within_limit(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    match tags.len() > MAX_TAGS {
        true => {
            Err(AwsError::client("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"))
        }
        false => Ok(()),
    }
}

fn resource<'a>(state: &'a mut State, call: &Scope<'_>) -> Result<&'a mut Topic, AwsError> {
    let arn = required(call, "ResourceArn")?;
    state.topics.get_mut(arn).ok_or_else(|| not_found("ResourceNotFound", "Resource does not exist"))
}

/// Adds or replaces tags.
pub(super) fn tag(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let new = read(call)?;
    let mut state = sns.state();
    let topic = resource(&mut state, call)?;
    let mut tags = topic.tags.clone();
    tags.extend(new);
    within_limit(&tags)?;
    topic.tags = tags;
    Ok(Xml::new())
}

/// Removes tags by key.
pub(super) fn untag(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let keys = call.texts("TagKeys");
    resource(&mut sns.state(), call)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Xml::new())
}

/// Lists tags.
pub(super) fn list(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let mut state = sns.state();
    let mut xml = Xml::new();
    xml.list("Tags", &resource(&mut state, call)?.tags, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
    Ok(xml)
}
