//! Which load balancer has which web ACL.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, web_acls};
use crate::{
    Waf,
    error::{Refusal, invalid, nonexistent, not_imitated, reason},
    state::State,
};

#[derive(Deserialize)]
pub(super) struct Associate {
    #[serde(rename = "WebACLArn")]
    web_acl_arn: String,
    #[serde(rename = "ResourceArn")]
    resource_arn: String,
}

#[derive(Deserialize)]
pub(super) struct Resource {
    #[serde(rename = "ResourceArn")]
    resource_arn: String,
}

#[derive(Deserialize)]
pub(super) struct OfWebAcl {
    #[serde(rename = "WebACLArn")]
    web_acl_arn: String,
    #[serde(rename = "ResourceType")]
    resource_type: Option<String>,
}

/// Load balancers are the one kind of resource here.
fn check(arn: &str) -> Result<(), Refusal> {
    let mut parts = arn.split(':');
    let (head, service, resource) = (parts.next(), parts.nth(1), parts.nth(2));
    match (head, service, resource) {
        (Some("arn"), Some("elasticloadbalancing"), Some(resource)) if resource.starts_with("loadbalancer/app/") => {
            Ok(())
        }
        (Some("arn"), Some("apigateway" | "appsync" | "cognito-idp" | "apprunner" | "ec2" | "amplify"), _) => {
            Err(not_imitated(&format!("a web ACL for {arn}")))
        }
        _ => Err(invalid(reason::ARN, "RESOURCE_ARN", arn)),
    }
}

/// Forgets load balancers that were deleted, as AWS does.
pub(super) fn forget_gone(waf: &Waf, state: &mut State) {
    state.associations.retain(|balancer, _| waf.elbv2.has_load_balancer(balancer));
}

pub(super) fn associate(waf: &Waf, input: Associate) -> Answer {
    check(&input.resource_arn)?;
    let mut state = waf.state();
    if state.web_acls.by_arn(&input.web_acl_arn).is_none() || !waf.elbv2.has_load_balancer(&input.resource_arn) {
        return Err(nonexistent());
    }
    state.associations.insert(input.resource_arn, input.web_acl_arn);
    waf.publish(&state);
    Ok(json!({}))
}

pub(super) fn disassociate(waf: &Waf, input: &Resource) -> Answer {
    check(&input.resource_arn)?;
    let mut state = waf.state();
    state.associations.remove(&input.resource_arn);
    waf.publish(&state);
    Ok(json!({}))
}

pub(super) fn of_resource(waf: &Waf, input: &Resource) -> Answer {
    check(&input.resource_arn)?;
    let mut state = waf.state();
    if !waf.elbv2.has_load_balancer(&input.resource_arn) {
        return Err(nonexistent());
    }
    forget_gone(waf, &mut state);
    let acl = state.associations.get(&input.resource_arn).and_then(|arn| state.web_acls.by_arn(arn));
    Ok(acl.map_or_else(|| json!({}), |(entity, acl)| json!({"WebACL": web_acls::described(waf, entity, acl)})))
}

pub(super) fn resources(waf: &Waf, input: &OfWebAcl) -> Answer {
    let mut state = waf.state();
    if state.web_acls.by_arn(&input.web_acl_arn).is_none() {
        return Err(nonexistent());
    }
    forget_gone(waf, &mut state);
    let balancers = input.resource_type.as_deref().is_none_or(|kind| kind == "APPLICATION_LOAD_BALANCER");
    let associated = state.associations.iter().filter(|(_, acl)| balancers && **acl == input.web_acl_arn);
    let mut arns: Vec<Value> = associated.map(|(balancer, _)| json!(balancer)).collect();
    arns.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Ok(json!({"ResourceArns": arns}))
}
