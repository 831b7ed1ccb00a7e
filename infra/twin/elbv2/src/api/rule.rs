//! Rules of a listener.

use std::collections::BTreeMap;

use twin_platform::AwsError;

use crate::{
    Elbv2,
    api::{SERVICE, action, condition, fresh_id, page, tag},
    query::{Scope, invalid},
    rules::{Action, Rule},
    state::Listener,
    xml::Xml,
};

/// Creates one; requests see it at once.
pub(super) fn create(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let listener_arn = call.require("ListenerArn")?;
    let conditions = condition::read(call)?;
    let priority = priority(call)?;
    let tags = tag::read(call)?;
    let mut state = elbv2.state();
    let (_, balancer) = state.listener(listener_arn)?;
    let action = action::read(&state, call, "Actions", &balancer.arn)?;
    let (listener, _) = state.listener(listener_arn)?;
    if listener.rules.iter().any(|rule| rule.priority == priority) {
        return Err(in_use(priority));
    }
    let path = listener_arn.split_once(":listener/").map_or("", |(_, path)| path);
    let arn = elbv2.account.arn(SERVICE, &format!("listener-rule/{path}/{}", fresh_id()));
    listener.rules.push(Rule { arn: arn.clone(), priority, conditions, action });
    listener.publish();
    let xml = some(listener, |rule| rule == arn);
    tag::put(&mut state, &arn, tags);
    state.mark_in_use();
    Ok(xml)
}

/// Describes those of a listener, by priority, the default last; or those named.
pub(super) fn describe(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arns = call.texts("RuleArns");
    let mut state = elbv2.state();
    let mut found = Vec::new();
    match call.get("ListenerArn") {
        Some(arn) => found.extend(rows(state.listener(arn)?.0)),
        None if arns.is_empty() => return Err(invalid("You must specify either rule ARNs or a listener ARN")),
        None => {
            for arn in arns {
                state.listener_of_rule(arn)?;
            }
            let wanted = call.texts("RuleArns");
            let listeners = state.balancers.iter().flat_map(|balancer| &balancer.listeners);
            found.extend(listeners.flat_map(rows).filter(|row| wanted.contains(&row.arn)));
        }
    }
    let (rules, next) = page(call, found)?;
    let mut xml = Xml::new();
    xml.list("Rules", rules, write).maybe("NextMarker", next);
    Ok(xml)
}

/// Changes conditions or action.
pub(super) fn modify(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = call.require("RuleArn")?;
    let mut state = elbv2.state();
    let balancer = state.listener_of_rule(arn)?.front.balancer.arn.clone();
    let conditions = call.has("Conditions").then(|| condition::read(call)).transpose()?;
    let action = call.has("Actions").then(|| action::read(&state, call, "Actions", &balancer)).transpose()?;
    let listener = state.listener_of_rule(arn)?;
    if listener.default_rule_arn == arn {
        return Err(not_permitted("modified; modify the default actions of its listener instead"));
    }
    for rule in listener.rules.iter_mut().filter(|rule| rule.arn == arn) {
        rule.conditions = conditions.clone().unwrap_or_else(|| rule.conditions.clone());
        rule.action = action.clone().unwrap_or_else(|| rule.action.clone());
    }
    listener.publish();
    let xml = some(listener, |rule| rule == arn);
    state.mark_in_use();
    Ok(xml)
}

/// Deletes one that is not the default.
pub(super) fn delete(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = call.require("RuleArn")?;
    let mut state = elbv2.state();
    let listener = state.listener_of_rule(arn)?;
    if listener.default_rule_arn == arn {
        return Err(not_permitted("deleted"));
    }
    listener.rules.retain(|rule| rule.arn != arn);
    listener.publish();
    state.tags.remove(arn);
    state.mark_in_use();
    Ok(Xml::new())
}

/// Gives rules new priorities, all at once, so that two can change places.
pub(super) fn set_priorities(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let mut wanted = BTreeMap::new();
    for pair in call.list("RulePriorities") {
        wanted.insert(pair.require("RuleArn")?, priority(&pair)?);
    }
    let mut state = elbv2.state();
    let Some(first) = wanted.keys().next() else { return Err(invalid("'RulePriorities' is required")) };
    let listener = state.listener_of_rule(first)?;
    let new = |rule: &Rule| wanted.get(rule.arn.as_str()).copied().unwrap_or(rule.priority);
    if let Some(stray) = wanted.keys().find(|arn| !listener.rules.iter().any(|rule| rule.arn == **arn)) {
        return Err(invalid(format!("Rule '{stray}' is not a rule with a priority of the same listener")));
    }
    let mut taken = BTreeMap::new();
    for rule in &listener.rules {
        if taken.insert(new(rule), &rule.arn).is_some() {
            return Err(in_use(new(rule)));
        }
    }
    for rule in &mut listener.rules {
        rule.priority = new(rule);
    }
    listener.publish();
    Ok(some(listener, |arn| wanted.contains_key(arn)))
}

fn priority(call: &Scope<'_>) -> Result<u32, AwsError> {
    let priority = call.parsed::<u32>("Priority")?.ok_or_else(|| invalid("'Priority' is required"))?;
    if (1..=50_000).contains(&priority) {
        Ok(priority)
    } else {
        Err(invalid(format!("Rule priority '{priority}' must be between 1 and 50000 inclusive")))
    }
}

fn in_use(priority: u32) -> AwsError {
    AwsError::client("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

fn not_permitted(what: &str) -> AwsError {
    AwsError::client("OperationNotPermitted", format!("Default rule cannot be {what}"))
}

/// A rule, or a listener's default, as it is described.
struct Row<'a> {
    arn: &'a str,
    rule: Option<&'a Rule>,
    action: &'a Action,
}

fn rows(listener: &Listener) -> Vec<Row<'_>> {
    let mut rules: Vec<&Rule> = listener.rules.iter().collect();
    rules.sort_by_key(|rule| rule.priority);
    let rules = rules.into_iter().map(|rule| Row { arn: &rule.arn, rule: Some(rule), action: &rule.action });
    rules.chain([Row { arn: &listener.default_rule_arn, rule: None, action: &listener.default }]).collect()
}

fn some(listener: &Listener, wanted: impl Fn(&str) -> bool) -> Xml {
    let mut xml = Xml::new();
    xml.list("Rules", rows(listener).into_iter().filter(|row| wanted(row.arn)), write);
    xml
}

fn write(xml: &mut Xml, row: Row<'_>) {
    let priority = row.rule.map_or("default".to_owned(), |rule| rule.priority.to_string());
    xml.text("RuleArn", row.arn)
        .text("Priority", priority)
        .list("Conditions", row.rule.map(|rule| &rule.conditions).into_iter().flatten(), condition::write)
        .list("Actions", [row.action], action::write)
        .text("IsDefault", row.rule.is_none());
}
