//! What a role's policies would say.

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{input, output};
use crate::{
    Ask, Decision, Iam,
    error::{constraint, invalid_input, no_such, refused},
};

/// One question for each action and each resource.
pub(super) fn principal(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let source = input::required(call, "PolicySourceArn", "policySourceArn")?;
    if !source.contains(":role/") {
        return Err(match source.starts_with("arn:") {
            true => refused("SimulatePrincipalPolicy of anything but a role"),
            false => {
                invalid_input(format!("Invalid Entity Arn: {source} does not clearly define entity type and name."))
            }
        });
    }
    if iam.role_id(source).is_none() {
        return Err(no_such(format!("Entity {source} cannot be found.")));
    }
    let actions = call.texts("ActionNames");
    if actions.is_empty() {
        return Err(constraint("[]", "actionNames", "have length greater than or equal to 1"));
    }
    if let Some(action) = actions
        .iter()
        .find(|action| action.split_once(':').is_none_or(|(vendor, name)| vendor.is_empty() || name.is_empty()))
    {
        return Err(invalid_input(format!("Invalid input {action}: an action is service:Action.")));
    }
    let mut resources = call.texts("ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    let facts = facts(call)?;
    let facts: Vec<_> = facts.iter().map(|(key, value)| (*key, value.clone())).collect();
    let pairs = actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, *resource)));
    let questions = pairs.enumerate().map(|(at, pair)| (format!("{at:06}"), pair));
    let (questions, marker) = input::page(call, questions)?;
    let mut xml = Xml::new();
    xml.list("EvaluationResults", questions, |xml, (action, resource)| {
        let ask = Ask { role_arn: source, session: "simulation", action, resource, facts: &facts };
        let decision = match iam.decide(&ask) {
            Decision::Allowed => "allowed",
            Decision::ImplicitDeny => "implicitDeny",
            Decision::ExplicitDeny => "explicitDeny",
        };
        xml.text("EvalActionName", action).text("EvalResourceName", resource).text("EvalDecision", decision);
        let matched = iam.matched(&ask);
        xml.list("MatchedStatements", matched, |xml, (id, kind)| {
            xml.text("SourcePolicyId", id).text("SourcePolicyType", kind);
        });
        xml.list("MissingContextValues", [(); 0], |_, ()| {});
    });
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}

/// The condition keys that the caller gives.
fn facts<'a>(call: &Scope<'a>) -> Result<Vec<(&'a str, String)>, AwsError> {
    let one = |entry: Scope<'a>| {
        let key = input::required(&entry, "ContextKeyName", "contextEntries.member.contextKeyName")?;
        match entry.texts("ContextKeyValues").as_slice() {
            [value] => Ok((key, (*value).to_owned())),
            _ => Err(refused("SimulatePrincipalPolicy with a context key of several values")),
        }
    };
    call.list("ContextEntries").into_iter().map(one).collect()
}
