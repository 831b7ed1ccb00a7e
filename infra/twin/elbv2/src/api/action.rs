//! Actions of rules and listeners: forward, fixed response, redirect.

use std::sync::Arc;

use twin_platform::AwsError;

use crate::{
    api::SERVICE,
    query::{Scope, invalid},
    rules::{Action, Redirect},
    state::State,
    xml::Xml,
};

/// Reads the one action of a list; `balancer_arn` is whose listener it is for.
pub(super) fn read(state: &State, call: &Scope<'_>, list: &str, balancer_arn: &str) -> Result<Action, AwsError> {
    let actions = call.list(list);
    let [action] = actions.as_slice() else {
        let message = format!(
            "'{list}' must have exactly one action (forward, fixed-response or redirect), not {}",
            actions.len()
        );
        return Err(AwsError::client("InvalidLoadBalancerAction", message));
    };
    match action.require("Type")? {
        "forward" => forward(state, action, balancer_arn),
        "fixed-response" => fixed(&action.scope("FixedResponseConfig")),
        "redirect" => redirect(&action.scope("RedirectConfig")),
        other => Err(AwsError::not_implemented(SERVICE, &format!("action type {other}"))),
    }
}

fn forward(state: &State, action: &Scope<'_>, balancer_arn: &str) -> Result<Action, AwsError> {
    let config = action.scope("ForwardConfig");
    let stickiness = config.scope("TargetGroupStickinessConfig");
    if stickiness.parsed::<bool>("Enabled")? == Some(true) {
        return Err(AwsError::not_implemented(
            SERVICE,
            "a forward action with TargetGroupStickinessConfig.Enabled=true",
        ));
    }
    let mut groups = Vec::new();
    for tuple in config.list("TargetGroups") {
        let weight = tuple.parsed::<u32>("Weight")?.unwrap_or(1);
        if weight > 999 {
            return Err(invalid(format!("Target group weight '{weight}' must be between 0 and 999 inclusive")));
        }
        groups.push((tuple.require("TargetGroupArn")?, weight));
    }
    match (action.get("TargetGroupArn"), groups.as_slice()) {
        (Some(arn), []) => groups.push((arn, 1)),
        (Some(arn), [(only, _)]) if arn == *only => {}
        (Some(_), _) => {
            return Err(invalid(
                "A forward action takes TargetGroupArn or ForwardConfig.TargetGroups, not different ones of both",
            ));
        }
        (None, []) => return Err(invalid("A forward action needs a target group")),
        (None, _) => {}
    }
    if groups.len() > 5 {
        return Err(AwsError::client(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            "A forward action takes at most 5 target groups",
        ));
    }
    let find = |(arn, weight): (&str, u32)| {
        let group = Arc::clone(state.group(arn)?);
        if state.user_of(&group).is_some_and(|user| *user.shared.arn != *balancer_arn) {
            return Err(AwsError::client(
                "TargetGroupAssociationLimit",
                format!("The following target groups cannot be associated with more than one load balancer: {arn}"),
            ));
        }
        Ok((group, weight))
    };
    Ok(Action::Forward(groups.into_iter().map(find).collect::<Result<_, _>>()?))
}

fn fixed(config: &Scope<'_>) -> Result<Action, AwsError> {
    let status = config.require("StatusCode")?;
    let code = status.parse::<u16>().ok().filter(|code| matches!(code / 100, 2 | 4 | 5));
    let code = code.ok_or_else(|| invalid(format!("Fixed response status code '{status}' must be 2XX, 4XX or 5XX")))?;
    let content_type = config.get("ContentType").filter(|text| !text.is_empty());
    let known = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];
    if let Some(other) = content_type.filter(|text| !known.contains(text)) {
        return Err(invalid(format!("Fixed response content type '{other}' must be one of {}", known.join(", "))));
    }
    let body = config.get("MessageBody").filter(|text| !text.is_empty());
    if body.is_some_and(|body| body.len() > 1024) {
        return Err(invalid("Fixed response message body cannot be longer than 1024 characters"));
    }
    Ok(Action::Fixed { status: code, content_type: content_type.map(str::to_owned), body: body.map(str::to_owned) })
}

fn redirect(config: &Scope<'_>) -> Result<Action, AwsError> {
    let part = |name: &str, keep: &str| config.get(name).unwrap_or(keep).to_owned();
    let status = match config.require("StatusCode")? {
        "HTTP_301" => 301,
        "HTTP_302" => 302,
        other => return Err(invalid(format!("Redirect status code '{other}' must be HTTP_301 or HTTP_302"))),
    };
    let redirect = Redirect {
        status,
        protocol: part("Protocol", "#{protocol}"),
        host: part("Host", "#{host}"),
        port: part("Port", "#{port}"),
        path: part("Path", "/#{path}"),
        query: part("Query", "#{query}"),
    };
    if !matches!(redirect.protocol.as_str(), "HTTP" | "HTTPS" | "#{protocol}") {
        return Err(invalid(format!("Redirect protocol '{}' must be HTTP, HTTPS or #{{protocol}}", redirect.protocol)));
    }
    if redirect.port != "#{port}" && !redirect.port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(invalid(format!("Redirect port '{}' must be between 1 and 65535, or #{{port}}", redirect.port)));
    }
    if !redirect.path.starts_with('/') {
        return Err(invalid(format!("Redirect path '{}' must begin with '/'", redirect.path)));
    }
    let kept = (redirect.protocol.as_str(), redirect.host.as_str(), redirect.port.as_str(), redirect.path.as_str());
    if kept == ("#{protocol}", "#{host}", "#{port}", "/#{path}") {
        let message = "A redirect must change protocol, host, port or path, or it would loop";
        return Err(AwsError::client("InvalidLoadBalancerAction", message));
    }
    Ok(Action::Redirect(redirect))
}

/// Writes an action.
pub(super) fn write(xml: &mut Xml, action: &Action) {
    xml.text("Type", action.words()).text("Order", 1);
    match action {
        Action::Forward(groups) => {
            if let [(only, _)] = groups.as_slice() {
                xml.text("TargetGroupArn", &only.arn);
            }
            xml.element("ForwardConfig", |xml| {
                xml.list("TargetGroups", groups, |xml, (group, weight)| {
                    xml.text("TargetGroupArn", &group.arn).text("Weight", weight);
                })
                .element("TargetGroupStickinessConfig", |xml| {
                    xml.text("Enabled", false);
                });
            });
        }
        Action::Fixed { status, content_type, body } => {
            xml.element("FixedResponseConfig", |xml| {
                xml.text("StatusCode", status)
                    .maybe("ContentType", content_type.as_ref())
                    .maybe("MessageBody", body.as_ref());
            });
        }
        Action::Redirect(redirect) => {
            xml.element("RedirectConfig", |xml| {
                xml.text("Protocol", &redirect.protocol)
                    .text("Port", &redirect.port)
                    .text("Host", &redirect.host)
                    .text("Path", &redirect.path)
                    .text("Query", &redirect.query)
                    .text("StatusCode", format!("HTTP_{}", redirect.status));
            });
        }
    }
}
