//! Attributes of load balancers and target groups.

use twin_platform::AwsError;

use crate::{Elbv2, attributes::Attributes, query::Scope, xml::Xml};

/// Describes a load balancer's.
pub(super) fn of_load_balancer(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let mut state = elbv2.state();
    Ok(write(&state.balancer(call.require("LoadBalancerArn")?)?.attributes))
}

/// Changes a load balancer's; an idle timeout counts from the next request (and the next connection) on.
pub(super) fn modify_load_balancer(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let mut state = elbv2.state();
    let balancer = state.balancer(call.require("LoadBalancerArn")?)?;
    let new = balancer.attributes.changed_by(call)?;
    if new.get("access_logs.s3.enabled") == "true" && new.get("access_logs.s3.bucket").is_empty() {
        return Err(AwsError::client(
            "InvalidConfigurationRequest",
            "Access logs cannot be enabled without a bucket: set 'access_logs.s3.bucket'",
        ));
    }
    let on = new.get("access_logs.s3.enabled") == "true";
    balancer.shared.hooks.access_log_turned(&balancer.shared.id, on);
    balancer.shared.set_idle_timeout(new.number("idle_timeout.timeout_seconds"));
    balancer.attributes = new;
    Ok(write(&balancer.attributes))
}

/// Describes a target group's.
pub(super) fn of_target_group(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = elbv2.state();
    Ok(write(&state.group(call.require("TargetGroupArn")?)?.attributes().all))
}

/// Changes a target group's.
pub(super) fn modify_target_group(elbv2: &Elbv2, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = elbv2.state();
    let group = state.group(call.require("TargetGroupArn")?)?;
    let new = group.attributes().all.changed_by(call)?;
    let xml = write(&new);
    group.set_attributes(new.into());
    Ok(xml)
}

fn write(attributes: &Attributes) -> Xml {
    let mut xml = Xml::new();
    xml.list("Attributes", attributes.iter(), |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
    xml
}
