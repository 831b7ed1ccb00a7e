//! Tags of scalable targets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use twin_platform::AwsError;

use super::{
    Answer,
    input::{required, validation, violated},
};
use crate::{AutoScaling, State, target::Target};

/// Tags of a target ("TagResource").
const MOST: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tags {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    tag_keys: Option<Vec<String>>,
}

/// Whether these may be a target's tags.
pub(super) fn check(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    let length = |text: &str| text.chars().count();
    let bad = |(key, value): &(&String, &String)| !(1..=128).contains(&length(key)) || length(value) > 256;
    if let Some((key, _)) = tags.iter().find(bad) {
        return Err(validation(format!("The tag {key} has a key of 1 to 128 characters or a value of up to 256 not.")));
    }
    if tags.len() > MOST {
        let message = format!("The number of tags must not be greater than {MOST}.");
        return Err(AwsError::client("TooManyTagsException", message));
    }
    Ok(())
}

pub(super) async fn list(scaling: &AutoScaling, input: Tags) -> Answer {
    let mut state = scaling.state.lock().await;
    let tags = &named(&mut state, input.resource_arn.as_deref())?.tags;
    Ok(json!({ "Tags": tags }))
}

pub(super) async fn tag(scaling: &AutoScaling, input: Tags) -> Answer {
    let given = input.tags.ok_or_else(|| violated("tags", "null", "not be null"))?;
    let mut state = scaling.state.lock().await;
    let target = named(&mut state, input.resource_arn.as_deref())?;
    let mut tags = target.tags.clone();
    tags.extend(given);
    check(&tags)?;
    target.tags = tags;
    Ok(json!({}))
}

pub(super) async fn untag(scaling: &AutoScaling, input: Tags) -> Answer {
    let keys = input.tag_keys.ok_or_else(|| violated("tagKeys", "null", "not be null"))?;
    let mut state = scaling.state.lock().await;
    named(&mut state, input.resource_arn.as_deref())?.tags.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

fn named<'a>(state: &'a mut State, arn: Option<&str>) -> Result<&'a mut Target, AwsError> {
    let arn = required("resourceARN", arn)?;
    let unknown = || AwsError::client("ResourceNotFoundException", format!("Resource not found: {arn}"));
    state.targets.values_mut().find(|target| target.arn == arn).ok_or_else(unknown)
}
