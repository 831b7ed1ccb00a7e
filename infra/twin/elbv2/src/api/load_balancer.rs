//! Load balancers.

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use twin_platform::{Account, AwsError};

use crate::{
    Elbv2,
    api::{fresh_id, only, page, tag, valid_name},
    attributes::Attributes,
    balancer::Balancer,
    query::{Scope, invalid},
    state::{LoadBalancer, not_found_balancer},
    xml::Xml,
};

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Creates one; it is active at once. Asking again with the same settings gives the one there is.
pub(super) fn create(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let name = valid_name(call, "Load balancer")?;
    if name.starts_with("internal-") {
        return Err(invalid(format!("Load balancer name '{name}' cannot begin with 'internal-'")));
    }
    only(call, "Type", "application")?;
    only(call, "IpAddressType", "ipv4")?;
    let scheme = call.get("Scheme").unwrap_or("internet-facing");
    if !matches!(scheme, "internet-facing" | "internal") {
        return Err(invalid(format!("Scheme '{scheme}' must be 'internet-facing' or 'internal'")));
    }
    let mut subnets: Vec<String> = call.texts("Subnets").into_iter().map(str::to_owned).collect();
    for mapping in call.list("SubnetMappings") {
        subnets.push(mapping.require("SubnetId")?.to_owned());
    }
    let security_groups: Vec<String> = call.texts("SecurityGroups").into_iter().map(str::to_owned).collect();
    let tags = tag::read(call)?;

    let mut state = elbv2.state();
    if let Some(there) = state.balancers.iter().find(|balancer| balancer.name == name) {
        if there.scheme != scheme || there.subnets != subnets || there.security_groups != security_groups {
            return Err(AwsError::client(
                "DuplicateLoadBalancerName",
                format!("A load balancer with the same name '{name}' exists, but with different settings"),
            ));
        }
        let mut xml = Xml::new();
        xml.list("LoadBalancers", [there], |xml, balancer| write(elbv2, xml, balancer));
        return Ok(xml);
    }
    let id = format!("app/{name}/{}", fresh_id());
    let arn = elbv2.account.arn("elasticloadbalancing", &format!("loadbalancer/{id}"));
    let balancer = LoadBalancer {
        shared: Balancer::new(&arn, &id, elbv2.host, elbv2.hooks.clone()),
        name: name.to_owned(),
        scheme: scheme.to_owned(),
        subnets,
        security_groups,
        created: OffsetDateTime::now_utc(),
        attributes: Attributes::of_balancer(),
        listeners: Vec::new(),
    };
    let mut xml = Xml::new();
    xml.list("LoadBalancers", [&balancer], |xml, balancer| write(elbv2, xml, balancer));
    state.balancers.push(balancer);
    tag::put(&mut state, &arn, tags);
    Ok(xml)
}

/// Describes all, or those named; a name or ARN that does not exist is an error.
pub(super) fn describe(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (arns, names) = (call.texts("LoadBalancerArns"), call.texts("Names"));
    let state = elbv2.state();
    let wanted = |balancer: &&LoadBalancer| {
        (arns.is_empty() && names.is_empty())
            || arns.contains(&&*balancer.shared.arn)
            || names.contains(&balancer.name.as_str())
    };
    let found: Vec<_> = state.balancers.iter().filter(wanted).collect();
    let lost = |text: &&str| !found.iter().any(|balancer| *balancer.shared.arn == **text || balancer.name == *text);
    if let Some(lost) = arns.iter().chain(&names).find(|text| lost(text)) {
        return Err(not_found_balancer(lost));
    }
    let (balancers, next) = page(call, found)?;
    let mut xml = Xml::new();
    xml.list("LoadBalancers", balancers, |xml, balancer| write(elbv2, xml, balancer)).maybe("NextMarker", next);
    Ok(xml)
}

/// Deletes one with its listeners and rules. One that does not exist is deleted already.
pub(super) fn delete(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = call.require("LoadBalancerArn")?;
    let mut state = elbv2.state();
    let Some(at) = state.balancers.iter().position(|balancer| *balancer.shared.arn == *arn) else {
        return Ok(Xml::new());
    };
    if state.balancers[at].attributes.get("deletion_protection.enabled") == "true" {
        return Err(AwsError::client(
            "OperationNotPermitted",
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
        ));
    }
    let balancer = state.balancers.remove(at);
    for listener in balancer.listeners {
        for rule in &listener.rules {
            state.tags.remove(&rule.arn);
        }
        state.tags.remove(&listener.arn);
        state.closing.push(listener.listening);
    }
    state.tags.remove(arn);
    state.mark_in_use();
    Ok(Xml::new())
}

fn write(elbv2: &Elbv2, xml: &mut Xml, balancer: &LoadBalancer) {
    let created = balancer.created.format(TIME).unwrap_or_default();
    xml.text("LoadBalancerArn", &balancer.shared.arn)
        .text("DNSName", elbv2.host)
        .text("CanonicalHostedZoneId", "Z35SXDOTRQ7X7K")
        .text("CreatedTime", created)
        .text("LoadBalancerName", &balancer.name)
        .text("Scheme", &balancer.scheme)
        .text("VpcId", Account::VPC)
        .element("State", |xml| {
            xml.text("Code", "active");
        })
        .text("Type", "application")
        .list("AvailabilityZones", balancer.subnets.iter().enumerate(), |xml, (index, subnet)| {
            xml.text("ZoneName", elbv2.account.availability_zone(index))
                .text("SubnetId", subnet)
                .element("LoadBalancerAddresses", |_| {});
        })
        .texts("SecurityGroups", &balancer.security_groups)
        .text("IpAddressType", "ipv4");
}
