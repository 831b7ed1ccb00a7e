//! The load balancer: its address, its target group's settings and the health of the targets.

use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetGroup};
use contract::names::{health_check, resource};
use serde::Serialize;

use super::{
    service,
    serving::{self, Serving},
};
use crate::{AwsError, Clients, Names};

/// How the balancer is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balancer {
    /// Base URL without a slash at its end.
    pub url: String,
    /// ARN of the load balancer; none when the URL was given and the group hangs on no balancer.
    pub arn: Option<String>,
    /// ARN of the target group.
    pub target_group_arn: String,
}

/// Health-check settings of the target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// ARN of the target group.
    pub target_group_arn: String,
    /// Whether targets are checked at all.
    pub enabled: bool,
    /// Route that is asked.
    pub path: String,
    /// `traffic-port`, or a port of its own.
    pub port: String,
    /// Seconds between two checks.
    pub interval_s: i32,
    /// Seconds until a check without an answer has failed.
    pub timeout_s: i32,
    /// Passes in a row that make a target healthy.
    pub healthy_threshold: i32,
    /// Failures in a row that make a target unhealthy.
    pub unhealthy_threshold: i32,
    /// Status codes that pass.
    pub matcher: String,
}

impl HealthCheck {
    /// The lab's settings for that target group.
    pub fn of_the_lab(target_group_arn: &str) -> Self {
        Self {
            target_group_arn: target_group_arn.to_owned(),
            enabled: true,
            path: health_check::PATH.into(),
            port: "traffic-port".into(),
            interval_s: health_check::INTERVAL_S,
            timeout_s: health_check::TIMEOUT_S,
            healthy_threshold: health_check::HEALTHY_THRESHOLD,
            unhealthy_threshold: health_check::UNHEALTHY_THRESHOLD,
            matcher: health_check::MATCHER.into(),
        }
    }
}

/// One registered target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its address.
    pub id: String,
    /// Its port.
    pub port: i32,
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining`, `unavailable`.
    pub state: String,
    /// AWS's reason code; none when healthy.
    pub reason: Option<String>,
    /// AWS's words.
    pub description: Option<String>,
}

/// ARN of the target group that gets the service's traffic.
///
/// # Errors
/// When AWS refuses to tell it.
pub async fn target_group_arn(clients: &Clients, names: &Names) -> Result<String, AwsError> {
    let service = service::describe(clients, names).await?;
    locate_target_group(clients, names, &serving::read(clients, &service).await?).await
}

/// The serving one of two that take turns, else the given, else the service's, else the one of the lab's name.
pub(super) async fn locate_target_group(
    clients: &Clients,
    names: &Names,
    serving: &Serving,
) -> Result<String, AwsError> {
    let by_turns = serving.arn.as_deref().filter(|_| serving.by_turns);
    if let Some(arn) = by_turns.or(names.given_target_group()).or(serving.arn.as_deref()) {
        return Ok(arn.to_owned());
    }
    const OPERATION: &str = "elasticloadbalancing:DescribeTargetGroups";
    let reply = clients.elbv2.describe_target_groups().names(resource::TARGET_GROUP).send().await;
    reply
        .map_err(AwsError::from_sdk(OPERATION))?
        .target_groups
        .and_then(|groups| groups.into_iter().find_map(|group| group.target_group_arn))
        .ok_or_else(|| AwsError::incomplete(OPERATION, format!("no target group {}", resource::TARGET_GROUP)))
}

/// Address and settings come from one description of the group; the address can fail alone.
pub(super) async fn group(
    clients: &Clients,
    names: &Names,
    arn: &str,
) -> Result<(Result<Balancer, AwsError>, HealthCheck), AwsError> {
    const OPERATION: &str = "elasticloadbalancing:DescribeTargetGroups";
    let reply = clients.elbv2.describe_target_groups().target_group_arns(arn).send().await;
    let group = reply
        .map_err(AwsError::from_sdk(OPERATION))?
        .target_groups
        .and_then(|groups| groups.into_iter().next())
        .ok_or_else(|| AwsError::incomplete(OPERATION, format!("no target group {arn}")))?;
    Ok((address(clients, names, arn, &group).await, settings(arn, &group)))
}

async fn address(clients: &Clients, names: &Names, arn: &str, group: &TargetGroup) -> Result<Balancer, AwsError> {
    let load_balancer = group.load_balancer_arns().first().cloned();
    let balancer = |url: String, arn_of_balancer: Option<String>| Balancer {
        url,
        arn: arn_of_balancer,
        target_group_arn: arn.to_owned(),
    };
    if let Some(url) = names.given_url() {
        return Ok(balancer(url.to_owned(), load_balancer));
    }
    let Some(load_balancer) = load_balancer else {
        let reason = format!("target group {arn} hangs on no load balancer, so its address is unknown; give --alb-url");
        return Err(AwsError::incomplete("elasticloadbalancing:DescribeTargetGroups", reason));
    };
    let (described, listeners) = tokio::join!(
        clients.elbv2.describe_load_balancers().load_balancer_arns(&load_balancer).send(),
        clients.elbv2.describe_listeners().load_balancer_arn(&load_balancer).send(),
    );
    const DESCRIBE: &str = "elasticloadbalancing:DescribeLoadBalancers";
    let host = described
        .map_err(AwsError::from_sdk(DESCRIBE))?
        .load_balancers
        .and_then(|balancers| balancers.into_iter().find_map(|balancer| balancer.dns_name))
        .ok_or_else(|| AwsError::incomplete(DESCRIBE, format!("{load_balancer} has no DNS name")))?;
    const LISTENERS: &str = "elasticloadbalancing:DescribeListeners";
    let port = listeners
        .map_err(AwsError::from_sdk(LISTENERS))?
        .listeners
        .unwrap_or_default()
        .iter()
        .find(|listener| listener.protocol() == Some(&ProtocolEnum::Http))
        .and_then(|listener| listener.port())
        .ok_or_else(|| AwsError::incomplete(LISTENERS, format!("{load_balancer} has no HTTP listener")))?;
    let url = if port == 80 { format!("http://{host}") } else { format!("http://{host}:{port}") };
    Ok(balancer(url, Some(load_balancer)))
}

fn settings(arn: &str, group: &TargetGroup) -> HealthCheck {
    HealthCheck {
        target_group_arn: arn.to_owned(),
        enabled: group.health_check_enabled().unwrap_or(true),
        path: group.health_check_path().unwrap_or_default().to_owned(),
        port: group.health_check_port().unwrap_or("traffic-port").to_owned(),
        interval_s: group.health_check_interval_seconds().unwrap_or_default(),
        timeout_s: group.health_check_timeout_seconds().unwrap_or_default(),
        healthy_threshold: group.healthy_threshold_count().unwrap_or_default(),
        unhealthy_threshold: group.unhealthy_threshold_count().unwrap_or_default(),
        matcher: group.matcher().and_then(|matcher| matcher.http_code()).unwrap_or_default().to_owned(),
    }
}

pub(super) async fn targets(clients: &Clients, arn: &str) -> Result<Vec<Target>, AwsError> {
    let reply = clients.elbv2.describe_target_health().target_group_arn(arn).send().await;
    let reply = reply.map_err(AwsError::from_sdk("elasticloadbalancing:DescribeTargetHealth"))?;
    let targets = reply.target_health_descriptions.unwrap_or_default().into_iter().map(|described| {
        let (target, health) = (described.target, described.target_health);
        Target {
            id: target.as_ref().and_then(|target| target.id.clone()).unwrap_or_default(),
            port: target.as_ref().and_then(|target| target.port).unwrap_or_default(),
            state: health
                .as_ref()
                .and_then(|health| health.state.as_ref())
                .map_or("", |state| state.as_str())
                .to_owned(),
            reason: health.as_ref().and_then(|health| health.reason.as_ref()).map(|reason| reason.as_str().to_owned()),
            description: health.and_then(|health| health.description),
        }
    });
    Ok(targets.collect())
}
