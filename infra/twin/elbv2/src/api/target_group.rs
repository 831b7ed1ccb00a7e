//! Target groups: target type `ip`, protocol HTTP.

use std::sync::Arc;

use twin_platform::AwsError;

use crate::{
    Elbv2,
    api::{SERVICE, fresh_id, only, page, tag, valid_name},
    group::Group,
    query::{Scope, invalid},
    settings::Settings,
    state::State,
    xml::Xml,
};

/// Creates one. Asking again with the same settings gives the one there is.
pub(super) fn create(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let name = valid_name(call, "Target group")?;
    only(call, "Protocol", "HTTP")?;
    only(call, "ProtocolVersion", "HTTP1")?;
    only(call, "IpAddressType", "ipv4")?;
    match call.get("TargetType") {
        Some("ip") => {}
        // AWS's default is `instance`, and there are no instances here.
        other => {
            let asked = other.unwrap_or("instance (the default)");
            return Err(AwsError::not_implemented(
                SERVICE,
                &format!("CreateTargetGroup with TargetType={asked} (only ip)"),
            ));
        }
    }
    let port = call.parsed::<u16>("Port")?.filter(|port| *port > 0);
    let port = port.ok_or_else(|| invalid("'Port' is required and must be between 1 and 65535 inclusive"))?;
    let settings = Settings::default().changed_by(call)?;
    let vpc = call.get("VpcId").map(str::to_owned);
    let tags = tag::read(call)?;

    let mut state = elbv2.state();
    if let Some(there) = state.groups.iter().find(|group| group.name == name) {
        if *there.settings() != settings || there.port != port || there.vpc != vpc {
            return Err(AwsError::client(
                "DuplicateTargetGroupName",
                format!("A target group with the same name '{name}' exists, but with different settings"),
            ));
        }
        return Ok(one(&state, there));
    }
    let arn = elbv2.account.arn(SERVICE, &format!("targetgroup/{name}/{}", fresh_id()));
    let group = Group::new(&arn, name, port, vpc, settings);
    let xml = one(&state, &group);
    state.groups.push(group);
    tag::put(&mut state, &arn, tags);
    Ok(xml)
}

/// Describes all, those named, or those of a load balancer.
pub(super) fn describe(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (arns, names) = (call.texts("TargetGroupArns"), call.texts("Names"));
    let mut state = elbv2.state();
    let balancer = call.get("LoadBalancerArn");
    if let Some(arn) = balancer {
        state.balancer(arn)?;
    }
    let state = &*state;
    let wanted = |group: &&Arc<Group>| match balancer {
        Some(arn) => state.balancers.iter().any(|balancer| *balancer.shared.arn == *arn && balancer.uses(group)),
        None => {
            (arns.is_empty() && names.is_empty()) || arns.contains(&&*group.arn) || names.contains(&group.name.as_str())
        }
    };
    let found: Vec<_> = state.groups.iter().filter(wanted).collect();
    let lost = |text: &&str| !found.iter().any(|group| *group.arn == **text || group.name == *text);
    if let Some(lost) = arns.iter().chain(&names).find(|text| lost(text)) {
        return Err(AwsError::client("TargetGroupNotFound", format!("Target groups '[{lost}]' not found")));
    }
    let (groups, next) = page(call, found)?;
    let mut xml = Xml::new();
    xml.list("TargetGroups", groups, |xml, group| write(state, xml, group)).maybe("NextMarker", next);
    Ok(xml)
}

/// Changes health-check settings; they act at once.
pub(super) fn modify(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = elbv2.state();
    let group = state.group(call.require("TargetGroupArn")?)?;
    group.set_settings(group.settings().changed_by(call)?);
    Ok(one(&state, group))
}

/// Deletes one that no rule uses. One that does not exist is deleted already.
pub(super) fn delete(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = call.require("TargetGroupArn")?;
    let mut state = elbv2.state();
    let Ok(group) = state.group(arn).cloned() else { return Ok(Xml::new()) };
    if state.user_of(&group).is_some() {
        let message = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(AwsError::client("ResourceInUse", message));
    }
    group.close();
    state.groups.retain(|group| *group.arn != *arn);
    state.tags.remove(arn);
    Ok(Xml::new())
}

fn one(state: &State, group: &Group) -> Xml {
    let mut xml = Xml::new();
    xml.list("TargetGroups", [group], |xml, group| write(state, xml, group));
    xml
}

fn write(state: &State, xml: &mut Xml, group: &Group) {
    let settings = group.settings();
    let port = settings.port.map_or("traffic-port".to_owned(), |port| port.to_string());
    xml.text("TargetGroupArn", &group.arn)
        .text("TargetGroupName", &group.name)
        .text("Protocol", "HTTP")
        .text("Port", group.port)
        .maybe("VpcId", group.vpc.as_ref())
        .text("HealthCheckProtocol", "HTTP")
        .text("HealthCheckPort", port)
        .text("HealthCheckEnabled", true)
        .text("HealthCheckIntervalSeconds", settings.interval_s)
        .text("HealthCheckTimeoutSeconds", settings.timeout_s)
        .text("HealthyThresholdCount", settings.healthy_threshold)
        .text("UnhealthyThresholdCount", settings.unhealthy_threshold)
        .text("HealthCheckPath", &settings.path)
        .element("Matcher", |xml| {
            xml.text("HttpCode", settings.matcher.text());
        })
        .texts("LoadBalancerArns", state.user_of(group).map(|balancer| &balancer.shared.arn))
        .text("TargetType", "ip")
        .text("ProtocolVersion", "HTTP1")
        .text("IpAddressType", "ipv4");
}
