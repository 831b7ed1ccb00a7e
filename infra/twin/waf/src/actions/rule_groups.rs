//! One's own rule groups. A change is compiled into every web ACL that refers to the group.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Named, Tag, named, regional, tags, web_acls};
use crate::{
    Waf,
    compile::{self, MOST_CAPACITY},
    error::{Refusal, associated, invalid, nonexistent, reason},
    state::{Entity, RuleGroup, State},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    scope: String,
    capacity: u64,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    #[serde(flatten)]
    named: Named,
    description: Option<String>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    #[serde(default)]
    rules: Vec<Value>,
    visibility_config: Value,
    #[serde(default)]
    custom_response_bodies: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    name: Option<String>,
    id: Option<String>,
    #[serde(rename = "ARN")]
    arn: Option<String>,
}

impl Content {
    /// Refuses what is not valid and what does not fit.
    fn check(&self, waf: &Waf, state: &State, capacity: u64) -> Result<(), Refusal> {
        let around = waf.surroundings(state, None);
        let needed = compile::capacity(&around, &self.rules, &self.custom_response_bodies, false)?;
        if needed > capacity {
            return Err(invalid(reason::CAPACITY, "RULE_GROUP", needed.to_string()));
        }
        Ok(())
    }
}

pub(super) fn create(waf: &Waf, input: Create) -> Answer {
    regional(&input.scope)?;
    named(&input.name, "RULE_GROUP")?;
    tags::check(&input.tags)?;
    if !(1..=MOST_CAPACITY).contains(&input.capacity) {
        return Err(invalid(reason::CAPACITY, "RULE_GROUP", input.capacity.to_string()));
    }
    let mut state = waf.state();
    state.rule_groups.check_new(&input.name)?;
    input.content.check(waf, &state, input.capacity)?;
    let namespace = format!("awswaf:{}:rulegroup:{}:", waf.account.id, input.name);
    let entity = Entity::new(&waf.account, "rulegroup", &input.name, input.description);
    let summary = entity.summary();
    tags::set(&mut state, &entity.arn, &input.tags);
    let Content { rules, visibility_config: visibility, custom_response_bodies: bodies } = input.content;
    let group = RuleGroup { capacity: input.capacity, rules, visibility, bodies, namespace };
    state.rule_groups.insert(entity, group);
    Ok(json!({"Summary": summary}))
}

pub(super) fn get(waf: &Waf, input: &Get) -> Answer {
    let state = waf.state();
    let (entity, group) = match (&input.name, &input.id, &input.arn) {
        (Some(name), Some(id), None) => state.rule_groups.find(name, id)?,
        (None, None, Some(arn)) => state.rule_groups.by_arn(arn).ok_or_else(nonexistent)?,
        _ => return Err(invalid(reason::NOT_ONE, "RULE_GROUP", "Id")),
    };
    let mut json = entity.json();
    json["Capacity"] = json!(group.capacity);
    json["Rules"] = json!(group.rules);
    json["VisibilityConfig"] = group.visibility.clone();
    json["LabelNamespace"] = json!(group.namespace);
    if !group.bodies.is_null() {
        json["CustomResponseBodies"] = group.bodies.clone();
    }
    Ok(json!({"RuleGroup": json, "LockToken": entity.lock_token}))
}

pub(super) fn update(waf: &Waf, input: Update) -> Answer {
    let Update { named, description, content } = input;
    regional(&named.scope)?;
    let mut state = waf.state();
    let (entity, group) = state.rule_groups.unlocked(&named.name, &named.id, &named.lock_token)?;
    let arn = entity.arn.clone();
    content.check(waf, &state, group.capacity)?;
    let Content { rules, visibility_config, custom_response_bodies } = content;
    let (entity, group) = state.rule_groups.by_arn_mut(&arn).ok_or_else(nonexistent)?;
    let old = (
        std::mem::replace(&mut group.rules, rules),
        std::mem::replace(&mut group.visibility, visibility_config),
        std::mem::replace(&mut group.bodies, custom_response_bodies),
    );
    let described = std::mem::replace(&mut entity.description, description);
    if let Err(refusal) = web_acls::recompile(waf, &mut state, &arn) {
        // A web ACL overrides a rule that the group would no longer have: nothing is changed.
        if let Some((entity, group)) = state.rule_groups.by_arn_mut(&arn) {
            (group.rules, group.visibility, group.bodies) = old;
            entity.description = described;
        }
        return Err(refusal);
    }
    let (entity, _) = state.rule_groups.by_arn_mut(&arn).ok_or_else(nonexistent)?;
    Ok(json!({"NextLockToken": entity.changed()}))
}

pub(super) fn delete(waf: &Waf, input: &Named) -> Answer {
    regional(&input.scope)?;
    let mut state = waf.state();
    let arn = state.rule_groups.unlocked(&input.name, &input.id, &input.lock_token)?.0.arn.clone();
    if state.is_used(&arn) {
        return Err(associated());
    }
    state.tags.remove(&arn);
    state.rule_groups.remove(&arn);
    Ok(json!({}))
}
