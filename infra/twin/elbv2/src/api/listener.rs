//! Listeners: each is a real socket.

use std::{io, sync::Arc};

use twin_platform::AwsError;

use crate::{
    Elbv2,
    api::{SERVICE, action, fresh_id, page, tag},
    balancer::Balancer,
    front::Front,
    listener::Listening,
    query::{Scope, invalid},
    rules::Table,
    state::{Listener, not_found_listener},
    xml::Xml,
};

/// Opens one. When the port cannot be had, nothing has been made.
pub(super) fn create(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let balancer_arn = call.require("LoadBalancerArn")?;
    protocol(call)?;
    let port = port(call)?.ok_or_else(|| invalid("'Port' is required"))?;
    let tags = tag::read(call)?;
    let mut state = elbv2.state();
    state.balancer(balancer_arn)?;
    let default = action::read(&state, call, "DefaultActions", balancer_arn)?;
    let balancer = state.balancer(balancer_arn)?;
    if balancer.listeners.iter().any(|listener| listener.port == port) {
        return Err(duplicate(port));
    }
    let front = Front::new(Arc::clone(&balancer.shared), port, Table::new(Vec::new(), default.clone()));
    let listening =
        Listening::open(Arc::clone(&front)).map_err(|error| port_refused(&balancer.shared, port, &error))?;
    let resource = format!("{}/{}", balancer.shared.id, fresh_id());
    let listener = Listener {
        arn: elbv2.account.arn(SERVICE, &format!("listener/{resource}")),
        port,
        default,
        default_rule_arn: elbv2.account.arn(SERVICE, &format!("listener-rule/{resource}/{}", fresh_id())),
        rules: Vec::new(),
        front,
        listening,
    };
    let arn = listener.arn.clone();
    let mut xml = Xml::new();
    xml.list("Listeners", [&listener], write);
    balancer.listeners.push(listener);
    tag::put(&mut state, &arn, tags);
    state.mark_in_use();
    Ok(xml)
}

/// Describes those of a load balancer, or those named.
pub(super) fn describe(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arns = call.texts("ListenerArns");
    let mut state = elbv2.state();
    let found: Vec<&Listener> = match call.get("LoadBalancerArn") {
        Some(arn) => state.balancer(arn)?.listeners.iter().collect(),
        None if arns.is_empty() => {
            return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
        }
        None => {
            let all = || state.balancers.iter().flat_map(|balancer| &balancer.listeners);
            let find = |arn: &&str| all().find(|listener| listener.arn == *arn).ok_or_else(|| not_found_listener(arn));
            arns.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let (listeners, next) = page(call, found)?;
    let mut xml = Xml::new();
    xml.list("Listeners", listeners, write).maybe("NextMarker", next);
    Ok(xml)
}

/// Changes port or default action. A new port is opened before the old one is closed.
pub(super) fn modify(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = call.require("ListenerArn")?;
    protocol(call)?;
    let port = port(call)?;
    let mut state = elbv2.state();
    let (_, shared) = state.listener(arn)?;
    let default =
        call.has("DefaultActions").then(|| action::read(&state, call, "DefaultActions", &shared.arn)).transpose()?;
    let siblings = &state.balancer(&shared.arn)?.listeners;
    let moved = port.filter(|port| !siblings.iter().any(|listener| listener.arn == arn && listener.port == *port));
    if let Some(port) = moved
        && siblings.iter().any(|listener| listener.port == port)
    {
        return Err(duplicate(port));
    }
    let (listener, _) = state.listener(arn)?;
    let opened = match moved {
        None => None,
        Some(port) => {
            let front =
                Front::new(Arc::clone(&shared), port, Table::new(listener.rules.clone(), listener.default.clone()));
            let listening = Listening::open(Arc::clone(&front)).map_err(|error| port_refused(&shared, port, &error))?;
            Some((port, front, listening))
        }
    };
    let closed = opened.map(|(port, front, listening)| {
        (listener.port, listener.front) = (port, front);
        std::mem::replace(&mut listener.listening, listening)
    });
    if let Some(default) = default {
        listener.default = default;
    }
    listener.publish();
    let mut xml = Xml::new();
    xml.list("Listeners", [&*listener], write);
    state.closing.extend(closed);
    state.mark_in_use();
    Ok(xml)
}

/// Closes one, with its rules; the port is free when the call answers.
pub(super) fn delete(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = call.require("ListenerArn")?;
    let mut state = elbv2.state();
    let (_, shared) = state.listener(arn)?;
    let listeners = &mut state.balancer(&shared.arn)?.listeners;
    let removed: Vec<_> = listeners.extract_if(.., |listener| listener.arn == arn).collect();
    for listener in removed {
        for rule in &listener.rules {
            state.tags.remove(&rule.arn);
        }
        state.closing.push(listener.listening);
    }
    state.tags.remove(arn);
    state.mark_in_use();
    Ok(Xml::new())
}

fn protocol(call: &Scope<'_>) -> Result<(), AwsError> {
    match call.get("Protocol") {
        None | Some("HTTP") => Ok(()),
        Some(other) => {
            Err(AwsError::not_implemented(SERVICE, &format!("a listener with protocol {other} (only HTTP)")))
        }
    }
}

fn port(call: &Scope<'_>) -> Result<Option<u16>, AwsError> {
    let Some(port) = call.parsed::<i64>("Port")? else { return Ok(None) };
    let valid = u16::try_from(port).ok().filter(|port| *port > 0);
    valid.map(Some).ok_or_else(|| invalid(format!("Port '{port}' must be between 1 and 65535 inclusive")))
}

fn duplicate(port: u16) -> AwsError {
    AwsError::client("DuplicateListener", format!("A listener already exists on port {port} for this load balancer"))
}

/// A listener is a socket of this machine: another process, or another load balancer, may have the port.
fn port_refused(balancer: &Balancer, port: u16, error: &io::Error) -> AwsError {
    let host = balancer.host;
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "it is already taken on this machine; choose another port or end what listens there".to_owned()
        }
        io::ErrorKind::PermissionDenied => "this user may not listen there; choose a port above 1023".to_owned(),
        _ => error.to_string(),
    };
    AwsError::client("InvalidConfigurationRequest", format!("The listener cannot open port {port} on {host}: {why}"))
}

fn write(xml: &mut Xml, listener: &Listener) {
    xml.text("ListenerArn", &listener.arn)
        .text("LoadBalancerArn", &listener.front.balancer.arn)
        .text("Port", listener.port)
        .text("Protocol", "HTTP")
        .list("DefaultActions", [&listener.default], action::write);
}
