//! Web ACLs.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Named, Tag, named, regional, tags};
use crate::{
    Waf,
    compile::{self, WebAclInput},
    engine::program::Program,
    error::{Refusal, associated, invalid, not_imitated, reason},
    state::{Entity, State, WebAcl},
};

/// What AWS takes too, and nothing here would act on.
const NOT_IMITATED: [&str; 7] = [
    "ApplicationConfig",
    "AssociationConfig",
    "CaptchaConfig",
    "ChallengeConfig",
    "DataProtectionConfig",
    "OnSourceDDoSProtectionConfig",
    "TokenDomains",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Given {
    name: String,
    scope: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    lock_token: String,
    description: Option<String>,
    default_action: Value,
    #[serde(default)]
    rules: Vec<Value>,
    visibility_config: Value,
    #[serde(default)]
    custom_response_bodies: Value,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Given {
    fn check(&self) -> Result<(), Refusal> {
        regional(&self.scope)?;
        named(&self.name, "WEB_ACL")?;
        match NOT_IMITATED.into_iter().find(|member| self.rest.get(*member).is_some_and(|value| !value.is_null())) {
            Some(member) => Err(not_imitated(&format!("WebACL with {member}"))),
            None => Ok(()),
        }
    }

    fn compiled(&self, waf: &Waf, state: &State, previous: Option<&Program>) -> Result<(Program, u64), Refusal> {
        let input = WebAclInput {
            name: &self.name,
            default_action: &self.default_action,
            rules: &self.rules,
            visibility: &self.visibility_config,
            bodies: &self.custom_response_bodies,
        };
        compile::web_acl(&waf.surroundings(state, previous), &input)
    }

    fn kept(self) -> Value {
        let mut kept = json!({
            "DefaultAction": self.default_action, "Rules": self.rules, "VisibilityConfig": self.visibility_config,
        });
        if !self.custom_response_bodies.is_null() {
            kept["CustomResponseBodies"] = self.custom_response_bodies;
        }
        kept
    }
}

pub(super) fn create(waf: &Waf, given: Given) -> Answer {
    given.check()?;
    let mut state = waf.state();
    state.web_acls.check_new(&given.name)?;
    tags::check(&given.tags)?;
    let (program, capacity) = given.compiled(waf, &state, None)?;
    let entity = Entity::new(&waf.account, "webacl", &given.name, given.description.clone());
    let summary = entity.summary();
    tags::set(&mut state, &entity.arn, &given.tags);
    state.web_acls.insert(entity, WebAcl { given: given.kept(), capacity, program: Arc::new(program) });
    Ok(json!({"Summary": summary}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    name: Option<String>,
    scope: Option<String>,
    id: Option<String>,
    #[serde(rename = "ARN")]
    arn: Option<String>,
}

pub(super) fn get(waf: &Waf, input: Get) -> Answer {
    let state = waf.state();
    let (entity, acl) = match (&input.name, &input.id, &input.arn) {
        (Some(name), Some(id), None) => {
            regional(input.scope.as_deref().unwrap_or_default())?;
            state.web_acls.find(name, id)?
        }
        (None, None, Some(arn)) => state.web_acls.by_arn(arn).ok_or_else(crate::error::nonexistent)?,
        _ => return Err(invalid(reason::NOT_ONE, "WEB_ACL", "Id")),
    };
    Ok(json!({"WebACL": described(waf, entity, acl), "LockToken": entity.lock_token}))
}

/// A web ACL as `WebACL`.
pub(super) fn described(waf: &Waf, entity: &Entity, acl: &WebAcl) -> Value {
    let mut json = entity.json();
    for (member, value) in acl.given.as_object().into_iter().flatten() {
        json[member] = value.clone();
    }
    json["Capacity"] = json!(acl.capacity);
    json["ManagedByFirewallManager"] = json!(false);
    json["LabelNamespace"] = json!(compile::web_acl_namespace(&waf.account, &entity.name));
    json
}

pub(super) fn update(waf: &Waf, given: Given) -> Answer {
    given.check()?;
    let mut state = waf.state();
    let (entity, old) = state.web_acls.unlocked(&given.name, &given.id, &given.lock_token)?;
    let (arn, old) = (entity.arn.clone(), Arc::clone(&old.program));
    let (program, capacity) = given.compiled(waf, &state, Some(&old))?;
    let Some((entity, acl)) = state.web_acls.by_arn_mut(&arn) else { return Err(crate::error::nonexistent()) };
    entity.description.clone_from(&given.description);
    let token = entity.changed();
    *acl = WebAcl { given: given.kept(), capacity, program: Arc::new(program) };
    state.retired.push(old);
    waf.publish(&state);
    Ok(json!({"NextLockToken": token}))
}

pub(super) fn delete(waf: &Waf, input: &Named) -> Answer {
    regional(&input.scope)?;
    let mut state = waf.state();
    let arn = state.web_acls.unlocked(&input.name, &input.id, &input.lock_token)?.0.arn.clone();
    super::associations::forget_gone(waf, &mut state);
    if state.associations.values().any(|acl| *acl == arn) {
        return Err(associated());
    }
    state.tags.remove(&arn);
    if let Some((_, acl)) = state.web_acls.remove(&arn) {
        state.retired.push(acl.program);
    }
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Check {
    scope: String,
    rules: Vec<Value>,
}

pub(super) fn check_capacity(waf: &Waf, input: &Check) -> Answer {
    regional(&input.scope)?;
    let state = waf.state();
    let capacity = compile::capacity(&waf.surroundings(&state, None), &input.rules, &Value::Null, true)?;
    Ok(json!({"Capacity": capacity}))
}

/// Compiles every web ACL anew that refers to this ARN, after what it names has changed.
pub(super) fn recompile(waf: &Waf, state: &mut State, referred: &str) -> Result<(), Refusal> {
    let quoted = json!(referred).to_string();
    let mut compiled = Vec::new();
    for (entity, acl) in state.web_acls.iter().filter(|(_, acl)| acl.given.to_string().contains(&quoted)) {
        let input = WebAclInput {
            name: &entity.name,
            default_action: &acl.given["DefaultAction"],
            rules: acl.given["Rules"].as_array().map_or(&[], Vec::as_slice),
            visibility: &acl.given["VisibilityConfig"],
            bodies: &acl.given["CustomResponseBodies"],
        };
        let (program, _) = compile::web_acl(&waf.surroundings(state, Some(&acl.program)), &input)?;
        compiled.push((entity.arn.clone(), Arc::new(program)));
    }
    for (arn, program) in compiled {
        if let Some((_, acl)) = state.web_acls.by_arn_mut(&arn) {
            let old = std::mem::replace(&mut acl.program, program);
            state.retired.push(old);
        }
    }
    waf.publish(state);
    Ok(())
}
