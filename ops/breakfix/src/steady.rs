//! Waits until the service is steady: every wanted target healthy, then one good `/db` through the balancer.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;
use bytes::Bytes;
use contract::names::{resource, route};
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::{
    commands::own_name,
    problem::{self, failure},
    resources::Created,
};

/// How often it looks: a fraction of what a start takes, and cheap against the laptop.
const LOOK: Duration = Duration::from_millis(25);
/// Past this a person wants to know why. A start takes 2–4 s.
const PATIENCE: Duration = Duration::from_secs(60);
/// One request through the balancer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Waits for it.
///
/// # Errors
/// After a minute: what is still missing and what ECS says about it.
pub(crate) async fn wait(config: &SdkConfig, created: &Created) -> Result<()> {
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(config);
    let end = Instant::now() + PATIENCE;
    loop {
        let missing = match unhealthy(&elb, &created.target_group_arn).await? {
            Some(targets) => targets,
            None => match good_db(&created.alb_url).await {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            },
        };
        if Instant::now() >= end {
            let events = events(config).await.unwrap_or_default();
            return Err(failure(
                format!("the service is not steady after {} s: {missing}{events}", PATIENCE.as_secs()),
                format!("the twin's log is in the state directory; `{} doctor` checks the machine", own_name()),
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// `None` when enough targets are healthy, else what there is instead.
async fn unhealthy(elb: &aws_sdk_elasticloadbalancingv2::Client, group: &str) -> Result<Option<String>> {
    let health = elb.describe_target_health().target_group_arn(group).send().await;
    let health = health.map_err(|error| problem::aws("reading the target health", error))?;
    let mut states = BTreeMap::<String, i32>::new();
    for target in health.target_health_descriptions() {
        let state = target.target_health().and_then(|health| health.state());
        *states.entry(state.map_or("unknown", TargetHealthStateEnum::as_str).to_owned()).or_default() += 1;
    }
    if states.get("healthy").is_some_and(|count| *count >= resource::DESIRED_COUNT) {
        return Ok(None);
    }
    let found: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let found = if found.is_empty() { "none registered".to_owned() } else { found.join(", ") };
    Ok(Some(format!("{} healthy targets wanted, {found}", resource::DESIRED_COUNT)))
}

async fn good_db(alb_url: &str) -> Result<(), String> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let url = format!("{alb_url}{}", route::DB);
    let uri = url.parse().map_err(|_| format!("{url} is no URL"))?;
    let exchange = async {
        let reply = client.get(uri).await.map_err(|error| format!("{url} does not answer: {error}"))?;
        let status = reply.status();
        let body = reply.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(());
        }
        Err(format!("{url} answers {status}: {}", String::from_utf8_lossy(&body[..body.len().min(200)]).trim()))
    };
    match tokio::time::timeout(REQUEST_TIMEOUT, exchange).await {
        Ok(result) => result,
        Err(_) => Err(format!("{url} does not answer within {} s", REQUEST_TIMEOUT.as_secs())),
    }
}

/// The service's last words.
async fn events(config: &SdkConfig) -> Result<String> {
    let ecs = aws_sdk_ecs::Client::new(config);
    let described = ecs.describe_services().cluster(resource::CLUSTER).services(resource::SERVICE).send().await?;
    let service = described.services().first().context("no service")?;
    let words = service.events().iter().take(2).filter_map(|event| event.message());
    Ok(words.map(|message| format!("; {message}")).collect())
}
