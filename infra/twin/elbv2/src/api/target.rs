//! Targets of a group and their health.

use std::net::{Ipv4Addr, SocketAddrV4};

use twin_platform::{AwsError, seam::TargetHealth};

use crate::{
    Elbv2,
    group::Group,
    query::{Scope, invalid},
    target::not_registered,
    xml::Xml,
};

/// Registers targets; all or none.
pub(super) fn register(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = elbv2.state();
    let group = state.group(call.require("TargetGroupArn")?)?;
    for (address, zone) in read(group, call)? {
        group.register(address, zone, elbv2.speed);
    }
    Ok(Xml::new())
}

/// Starts draining. A target that is not registered is no error, as at AWS.
pub(super) fn deregister(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = elbv2.state();
    let group = state.group(call.require("TargetGroupArn")?)?;
    for (address, _) in read(group, call)? {
        group.deregister(address, elbv2.speed);
    }
    Ok(Xml::new())
}

/// Says how all targets are, or those named.
pub(super) fn describe(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = elbv2.state();
    let group = state.group(call.require("TargetGroupArn")?)?;
    let described: Vec<(SocketAddrV4, Option<String>, TargetHealth)> = if call.has("Targets") {
        let of = |(address, zone)| match group.target(address) {
            Some(target) => (address, target.zone.clone(), target.health().described()),
            None => (address, zone, not_registered()),
        };
        read(group, call)?.into_iter().map(of).collect()
    } else {
        let targets = group.targets();
        targets.iter().map(|target| (target.address, target.zone.clone(), target.health().described())).collect()
    };
    let check_port = group.settings().port;
    let mut xml = Xml::new();
    xml.list("TargetHealthDescriptions", described, |xml, (address, zone, health)| {
        xml.element("Target", |xml| {
            xml.text("Id", address.ip()).text("Port", address.port()).maybe("AvailabilityZone", zone);
        })
        .text("HealthCheckPort", check_port.unwrap_or(address.port()))
        .element("TargetHealth", |xml| {
            xml.text("State", health.state).maybe("Reason", health.reason).maybe("Description", health.description);
        });
    });
    Ok(xml)
}

fn read(group: &Group, call: &Scope<'_>) -> Result<Vec<(SocketAddrV4, Option<String>)>, AwsError> {
    let targets = call.list("Targets");
    if targets.is_empty() {
        return Err(invalid("'Targets' is required"));
    }
    let one = |target: &Scope<'_>| {
        let id = target.require("Id")?;
        let address = id.parse().map_err(|_| invalid(format!("The IP address '{id}' is not a valid IPv4 address")))?;
        allowed(address)?;
        let port = target.parsed::<u16>("Port")?.unwrap_or(group.port);
        if port == 0 {
            return Err(invalid("Port '0' must be between 1 and 65535 inclusive"));
        }
        Ok((SocketAddrV4::new(address, port), target.get("AvailabilityZone").map(str::to_owned)))
    };
    targets.iter().map(one).collect()
}

/// The lab stays on this machine: a balancer must not be made to send a game day's load anywhere else.
pub(crate) fn allowed(address: Ipv4Addr) -> Result<(), AwsError> {
    if address.is_loopback() {
        return Ok(());
    }
    let message = format!(
        "The IP address '{address}' cannot be a target: the twin's targets are loopback addresses (127.0.0.0/8)"
    );
    Err(AwsError::client("InvalidTarget", message))
}
