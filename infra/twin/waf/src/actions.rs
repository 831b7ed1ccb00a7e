//! The actions, one file per kind of resource. AWS JSON 1.1: the action is in `X-Amz-Target`, the body is a JSON object.

mod associations;
mod ip_sets;
mod managed_groups;
mod pattern_sets;
mod rule_groups;
mod seen;
mod tags;
mod web_acls;

use serde::Deserialize;
use serde_json::{Value, json};
use twin_platform::{AwsError, Request, Response, json};

use crate::{
    Waf,
    compile::is_name,
    error::{Refusal, invalid, not_imitated, reason},
    state::{Entity, Store},
};

const TARGET_PREFIX: &str = "AWSWAF_20190729.";

/// An output, or why there is none.
type Answer = Result<Value, Refusal>;

pub(crate) fn handle(waf: &Waf, request: &Request) -> Response {
    let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.strip_prefix(TARGET_PREFIX).unwrap_or_default();
    let mut response = match dispatch(waf, action, &request.body) {
        Ok(output) => Response::json(200, output.to_string()),
        Err(refusal) => refusal.response(),
    };
    response.headers.insert("content-type", http::HeaderValue::from_static("application/x-amz-json-1.1"));
    response
}

fn dispatch(waf: &Waf, action: &str, body: &[u8]) -> Answer {
    match action {
        "CreateWebACL" => web_acls::create(waf, read(body)?),
        "GetWebACL" => web_acls::get(waf, read(body)?),
        "UpdateWebACL" => web_acls::update(waf, read(body)?),
        "DeleteWebACL" => web_acls::delete(waf, &read(body)?),
        "ListWebACLs" => list(&waf.state().web_acls, &read(body)?, "WebACLs"),
        "CheckCapacity" => web_acls::check_capacity(waf, &read(body)?),
        "AssociateWebACL" => associations::associate(waf, read(body)?),
        "DisassociateWebACL" => associations::disassociate(waf, &read(body)?),
        "GetWebACLForResource" => associations::of_resource(waf, &read(body)?),
        "ListResourcesForWebACL" => associations::resources(waf, &read(body)?),
        "CreateIPSet" => ip_sets::create(waf, read(body)?),
        "GetIPSet" => ip_sets::get(waf, &read(body)?),
        "UpdateIPSet" => ip_sets::update(waf, read(body)?),
        "DeleteIPSet" => ip_sets::delete(waf, &read(body)?),
        "ListIPSets" => list(&waf.state().ip_sets, &read(body)?, "IPSets"),
        "CreateRegexPatternSet" => pattern_sets::create(waf, read(body)?),
        "GetRegexPatternSet" => pattern_sets::get(waf, &read(body)?),
        "UpdateRegexPatternSet" => pattern_sets::update(waf, read(body)?),
        "DeleteRegexPatternSet" => pattern_sets::delete(waf, &read(body)?),
        "ListRegexPatternSets" => list(&waf.state().pattern_sets, &read(body)?, "RegexPatternSets"),
        "CreateRuleGroup" => rule_groups::create(waf, read(body)?),
        "GetRuleGroup" => rule_groups::get(waf, &read(body)?),
        "UpdateRuleGroup" => rule_groups::update(waf, read(body)?),
        "DeleteRuleGroup" => rule_groups::delete(waf, &read(body)?),
        "ListRuleGroups" => list(&waf.state().rule_groups, &read(body)?, "RuleGroups"),
        "ListAvailableManagedRuleGroups" => managed_groups::available(&read(body)?),
        "ListAvailableManagedRuleGroupVersions" => managed_groups::versions(&read(body)?),
        "DescribeManagedRuleGroup" => managed_groups::describe(&read(body)?),
        "GetSampledRequests" => seen::samples(waf, &read(body)?),
        "GetRateBasedStatementManagedKeys" => seen::managed_keys(waf, &read(body)?),
        "TagResource" => tags::tag(waf, read(body)?),
        "UntagResource" => tags::untag(waf, &read(body)?),
        "ListTagsForResource" => tags::list(waf, &read(body)?),
        "" => {
            Err(AwsError::client("UnknownOperationException", "X-Amz-Target names no action of AWSWAF_20190729").into())
        }
        other => Err(not_imitated(other)),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    Ok(json::read(body)?)
}

/// Which of a kind is meant.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
    scope: String,
    id: String,
    #[serde(default)]
    lock_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    scope: String,
    next_marker: Option<String>,
    limit: Option<usize>,
}

/// The most that a page has.
const PAGE: usize = 100;

fn list<T>(store: &Store<T>, input: &List, member: &str) -> Answer {
    regional(&input.scope)?;
    let limit = input.limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(invalid(reason::FORMAT, "ENTITY_LIMIT", limit.to_string()));
    }
    // The marker is the name of the last that was answered.
    let after = |entity: &Entity| input.next_marker.as_ref().is_none_or(|marker| entity.name > *marker);
    let mut entities: Vec<&Entity> = store.iter().map(|(entity, _)| entity).filter(|entity| after(entity)).collect();
    entities.sort_by(|a, b| a.name.cmp(&b.name));
    let more = entities.len() > limit;
    entities.truncate(limit);
    let mut output = json!({member: entities.iter().map(|entity| entity.summary()).collect::<Vec<_>>()});
    if let Some(last) = entities.last().filter(|_| more) {
        output["NextMarker"] = json!(last.name);
    }
    Ok(output)
}

/// There is no CloudFront here.
fn regional(scope: &str) -> Result<(), Refusal> {
    if scope == "REGIONAL" { Ok(()) } else { Err(invalid(reason::SCOPE, "SCOPE_VALUE", scope)) }
}

fn named(name: &str, field: &'static str) -> Result<(), Refusal> {
    if is_name(name) { Ok(()) } else { Err(invalid(reason::FORMAT, field, name)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}
