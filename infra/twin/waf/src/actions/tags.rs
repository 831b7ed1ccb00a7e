//! Tags of all kinds of resources.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Tag};
use crate::{
    Waf,
    error::{Refusal, invalid, nonexistent, reason},
    state::State,
};

const MOST: usize = 50;

#[derive(Deserialize)]
pub(super) struct Set {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
pub(super) struct Unset {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Of {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

pub(super) fn check(tags: &[Tag]) -> Result<(), Refusal> {
    let wrong = tags.iter().find(|tag| tag.key.is_empty() || tag.key.len() > 128 || tag.value.len() > 256);
    match wrong {
        Some(tag) => Err(invalid(reason::FORMAT, "TAGS", &tag.key)),
        None if tags.len() > MOST => Err(crate::error::limits()),
        None => Ok(()),
    }
}

pub(super) fn set(state: &mut State, arn: &str, tags: &[Tag]) {
    let kept = state.tags.entry(arn.to_owned()).or_default();
    kept.extend(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
}

fn exists(state: &State, arn: &str) -> Result<(), Refusal> {
    let exists = state.web_acls.by_arn(arn).is_some()
        || state.ip_sets.by_arn(arn).is_some()
        || state.pattern_sets.by_arn(arn).is_some()
        || state.rule_groups.by_arn(arn).is_some();
    if exists { Ok(()) } else { Err(nonexistent()) }
}

pub(super) fn tag(waf: &Waf, input: Set) -> Answer {
    check(&input.tags)?;
    let mut state = waf.state();
    exists(&state, &input.arn)?;
    let had = state.tags.get(&input.arn);
    let fresh = input.tags.iter().filter(|tag| !had.is_some_and(|had| had.contains_key(&tag.key))).count();
    if had.map_or(0, std::collections::BTreeMap::len) + fresh > MOST {
        return Err(crate::error::limits());
    }
    set(&mut state, &input.arn, &input.tags);
    Ok(json!({}))
}

pub(super) fn untag(waf: &Waf, input: &Unset) -> Answer {
    let mut state = waf.state();
    exists(&state, &input.arn)?;
    if let Some(tags) = state.tags.get_mut(&input.arn) {
        input.keys.iter().for_each(|key| drop(tags.remove(key)));
    }
    Ok(json!({}))
}

pub(super) fn list(waf: &Waf, input: &Of) -> Answer {
    let state = waf.state();
    exists(&state, &input.arn)?;
    let tags = state.tags.get(&input.arn).into_iter().flatten();
    let tags: Vec<Value> = tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"TagInfoForResource": {"ResourceARN": input.arn, "TagList": tags}}))
}
