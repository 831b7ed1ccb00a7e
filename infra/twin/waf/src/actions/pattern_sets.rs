//! Regex pattern sets. A change acts on the next request, in every web ACL that refers to the set.

use std::sync::Arc;

use regex::bytes::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Named, Tag, named, regional, tags};
use crate::{
    Waf, compile,
    error::{Refusal, associated, limits, nonexistent},
    state::{self, Entity, PatternSet},
};

/// Patterns of a set.
const MOST: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pattern {
    regex_string: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    scope: String,
    description: Option<String>,
    regular_expression_list: Vec<Pattern>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    #[serde(flatten)]
    named: Named,
    description: Option<String>,
    regular_expression_list: Vec<Pattern>,
}

fn compiled(given: Vec<Pattern>) -> Result<(Vec<String>, Vec<Regex>), Refusal> {
    if given.len() > MOST {
        return Err(limits());
    }
    let texts: Vec<String> = given.into_iter().map(|pattern| pattern.regex_string).collect();
    let patterns = texts.iter().map(|text| compile::regex(text, "REGEX_PATTERN_SET")).collect::<Result<_, _>>()?;
    Ok((texts, patterns))
}

pub(super) fn create(waf: &Waf, input: Create) -> Answer {
    regional(&input.scope)?;
    named(&input.name, "REGEX_PATTERN_SET")?;
    tags::check(&input.tags)?;
    let (texts, patterns) = compiled(input.regular_expression_list)?;
    let mut state = waf.state();
    state.pattern_sets.check_new(&input.name)?;
    let entity = Entity::new(&waf.account, "regexpatternset", &input.name, input.description);
    let summary = entity.summary();
    tags::set(&mut state, &entity.arn, &input.tags);
    state.pattern_sets.insert(entity, PatternSet { texts, patterns: state::shared(patterns) });
    Ok(json!({"Summary": summary}))
}

pub(super) fn get(waf: &Waf, input: &Named) -> Answer {
    regional(&input.scope)?;
    let state = waf.state();
    let (entity, set) = state.pattern_sets.find(&input.name, &input.id)?;
    let patterns: Vec<Value> = set.texts.iter().map(|text| json!({"RegexString": text})).collect();
    let mut json = entity.json();
    json["RegularExpressionList"] = json!(patterns);
    Ok(json!({"RegexPatternSet": json, "LockToken": entity.lock_token}))
}

pub(super) fn update(waf: &Waf, input: Update) -> Answer {
    let Update { named, description, regular_expression_list } = input;
    regional(&named.scope)?;
    let mut state = waf.state();
    let arn = state.pattern_sets.unlocked(&named.name, &named.id, &named.lock_token)?.0.arn.clone();
    let (texts, patterns) = compiled(regular_expression_list)?;
    let (entity, set) = state.pattern_sets.by_arn_mut(&arn).ok_or_else(nonexistent)?;
    set.patterns.store(Arc::new(patterns));
    set.texts = texts;
    entity.description = description;
    Ok(json!({"NextLockToken": entity.changed()}))
}

pub(super) fn delete(waf: &Waf, input: &Named) -> Answer {
    regional(&input.scope)?;
    let mut state = waf.state();
    let arn = state.pattern_sets.unlocked(&input.name, &input.id, &input.lock_token)?.0.arn.clone();
    if state.is_used(&arn) {
        return Err(associated());
    }
    state.tags.remove(&arn);
    state.pattern_sets.remove(&arn);
    Ok(json!({}))
}
