//! The API: every action that is imitated, on one screen, with the parameters it understands.

mod action;
mod attribute;
mod condition;
mod listener;
mod load_balancer;
mod rule;
mod tag;
pub(crate) mod target;
mod target_group;

use twin_platform::{AwsError, Request, Response};

use crate::{
    Elbv2,
    query::{Params, Scope, invalid},
    xml::Xml,
};

type Handler = fn(&Elbv2, &Scope<'_>) -> Result<Xml, AwsError>;

/// Name, parameters (any other is refused by name, never ignored), and who answers.
const ACTIONS: &[(&str, &[&str], Handler)] = &[
    ("AddTags", &["ResourceArns", "Tags"], tag::add),
    ("CreateListener", &["LoadBalancerArn", "Protocol", "Port", "DefaultActions", "Tags"], listener::create),
    (
        "CreateLoadBalancer",
        &["Name", "Subnets", "SubnetMappings", "SecurityGroups", "Scheme", "Tags", "Type", "IpAddressType"],
        load_balancer::create,
    ),
    ("CreateRule", &["ListenerArn", "Conditions", "Priority", "Actions", "Tags"], rule::create),
    (
        "CreateTargetGroup",
        &[
            "Name",
            "Protocol",
            "ProtocolVersion",
            "Port",
            "VpcId",
            "HealthCheckProtocol",
            "HealthCheckPort",
            "HealthCheckEnabled",
            "HealthCheckPath",
            "HealthCheckIntervalSeconds",
            "HealthCheckTimeoutSeconds",
            "HealthyThresholdCount",
            "UnhealthyThresholdCount",
            "Matcher",
            "TargetType",
            "Tags",
            "IpAddressType",
        ],
        target_group::create,
    ),
    ("DeleteListener", &["ListenerArn"], listener::delete),
    ("DeleteLoadBalancer", &["LoadBalancerArn"], load_balancer::delete),
    ("DeleteRule", &["RuleArn"], rule::delete),
    ("DeleteTargetGroup", &["TargetGroupArn"], target_group::delete),
    ("DeregisterTargets", &["TargetGroupArn", "Targets"], target::deregister),
    ("DescribeListeners", &["LoadBalancerArn", "ListenerArns", "Marker", "PageSize"], listener::describe),
    ("DescribeLoadBalancerAttributes", &["LoadBalancerArn"], attribute::of_load_balancer),
    ("DescribeLoadBalancers", &["LoadBalancerArns", "Names", "Marker", "PageSize"], load_balancer::describe),
    ("DescribeRules", &["ListenerArn", "RuleArns", "Marker", "PageSize"], rule::describe),
    ("DescribeTags", &["ResourceArns"], tag::describe),
    ("DescribeTargetGroupAttributes", &["TargetGroupArn"], attribute::of_target_group),
    (
        "DescribeTargetGroups",
        &["LoadBalancerArn", "TargetGroupArns", "Names", "Marker", "PageSize"],
        target_group::describe,
    ),
    ("DescribeTargetHealth", &["TargetGroupArn", "Targets"], target::describe),
    ("ModifyListener", &["ListenerArn", "Port", "Protocol", "DefaultActions"], listener::modify),
    ("ModifyLoadBalancerAttributes", &["LoadBalancerArn", "Attributes"], attribute::modify_load_balancer),
    ("ModifyRule", &["RuleArn", "Conditions", "Actions"], rule::modify),
    (
        "ModifyTargetGroup",
        &[
            "TargetGroupArn",
            "HealthCheckProtocol",
            "HealthCheckPort",
            "HealthCheckPath",
            "HealthCheckEnabled",
            "HealthCheckIntervalSeconds",
            "HealthCheckTimeoutSeconds",
            "HealthyThresholdCount",
            "UnhealthyThresholdCount",
            "Matcher",
        ],
        target_group::modify,
    ),
    ("ModifyTargetGroupAttributes", &["TargetGroupArn", "Attributes"], attribute::modify_target_group),
    ("RegisterTargets", &["TargetGroupArn", "Targets"], target::register),
    ("RemoveTags", &["ResourceArns", "TagKeys"], tag::remove),
    ("SetRulePriorities", &["RulePriorities"], rule::set_priorities),
];

const SERVICE: &str = "elasticloadbalancing";
const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// Answers one call.
pub(crate) fn call(elbv2: &Elbv2, request: &Request) -> Result<Response, AwsError> {
    let params = Params::of(request);
    let call = params.root();
    let name = call.get("Action").ok_or_else(|| AwsError::client("MissingAction", "The request has no Action"))?;
    let Some((name, known, handler)) = ACTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(AwsError::not_implemented(SERVICE, name));
    };
    if let Some(unknown) = params.unknown(known) {
        return Err(AwsError::not_implemented(SERVICE, &format!("{name} with {unknown}")));
    }
    Ok(handler(elbv2, &call)?.response(name, NAMESPACE))
}

/// The page that `Marker` and `PageSize` ask for, and the marker of the next one.
fn page<T>(call: &Scope<'_>, mut items: Vec<T>) -> Result<(Vec<T>, Option<usize>), AwsError> {
    let size = call.parsed::<usize>("PageSize")?.unwrap_or(400);
    if !(1..=400).contains(&size) {
        return Err(invalid(format!("Page size '{size}' must be between 1 and 400 inclusive")));
    }
    let start = call.parsed::<usize>("Marker")?.unwrap_or(0).min(items.len());
    items.drain(..start);
    let next = (items.len() > size).then_some(start + size);
    items.truncate(size);
    Ok((items, next))
}

/// A name of a load balancer or target group: at most 32 letters, digits and hyphens, no hyphen at either end.
fn valid_name<'a>(call: &Scope<'a>, what: &str) -> Result<&'a str, AwsError> {
    let name = call.require("Name")?;
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.len() > 32 {
        return Err(invalid(format!("{what} name '{name}' cannot be longer than '32' characters")));
    }
    if !letters {
        return Err(invalid(format!(
            "{what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        )));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Err(invalid(format!("{what} name '{name}' cannot begin or end with '-'")));
    }
    Ok(name)
}

/// The value of `name` when it is the one that is imitated; any other is refused by name.
fn only(call: &Scope<'_>, name: &str, imitated: &str) -> Result<(), AwsError> {
    match call.get(name) {
        None => Ok(()),
        Some(value) if value == imitated => Ok(()),
        Some(value) => Err(AwsError::not_implemented(SERVICE, &format!("{name}={value} (only {imitated})"))),
    }
}

/// Sixteen hexadecimal digits, as at the end of an ARN.
fn fresh_id() -> String {
    format!("{:016x}", fastrand::u64(..))
}
