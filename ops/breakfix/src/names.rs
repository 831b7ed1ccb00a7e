//! The addresses and ARNs of the lab, as AWS has them now. Refuses: the environment, whose values may be an earlier lab's.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use contract::{DatabaseSecret, names::resource};

use crate::problem::{self, failure};

/// Base URL of the balancer's first HTTP listener, without a trailing slash.
///
/// # Errors
/// When there is no such balancer or listener.
pub(crate) async fn balancer_url(config: &SdkConfig) -> Result<String> {
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(config);
    let described = elb.describe_load_balancers().names(resource::LOAD_BALANCER).send().await;
    let described = described.map_err(|error| problem::aws("reading the load balancer", error))?;
    let balancer = described.load_balancers().first().context("the load balancer is not described")?;
    let listeners = elb.describe_listeners().set_load_balancer_arn(balancer.load_balancer_arn.clone()).send().await;
    let listeners = listeners.map_err(|error| problem::aws("reading the listeners", error))?;
    let http = |listener: &&aws_sdk_elasticloadbalancingv2::types::Listener| {
        listener.protocol().is_some_and(|protocol| protocol.as_str() == "HTTP")
    };
    let port = listeners.listeners().iter().find(http).and_then(|listener| listener.port()).ok_or_else(|| {
        failure(
            format!("the load balancer {} has no HTTP listener", resource::LOAD_BALANCER),
            "name the address yourself: `load --url` and `reset --alb-url` take http://HOST:PORT",
        )
    })?;
    let host = balancer.dns_name().context("the load balancer has no DNS name")?;
    Ok(if port == 80 { format!("http://{host}") } else { format!("http://{host}:{port}") })
}

/// ARN of the target group that gets the service's traffic.
///
/// # Errors
/// When AWS does not tell it.
pub(crate) async fn target_group_arn(config: &SdkConfig) -> Result<String> {
    let clients = reset::Clients::from_config(config.clone());
    let arn = reset::observe::target_group_arn(&clients, &reset::Names::of_the_contract()).await;
    arn.context("reading the target group")
}

/// ARN of the database secret.
///
/// # Errors
/// When there is none of the contract's name.
pub(crate) async fn secret_arn(config: &SdkConfig) -> Result<String> {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let described = secrets.describe_secret().secret_id(resource::DB_SECRET).send().await;
    let described = described.map_err(|error| problem::aws("reading the secret's ARN", error))?;
    described.arn.context("Secrets Manager gave the secret no ARN")
}

/// The database as its secret names it; none when the secret is not to be read or not usable.
pub(crate) async fn database(config: &SdkConfig) -> Option<DatabaseSecret> {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let value = secrets.get_secret_value().secret_id(resource::DB_SECRET).send().await.ok()?;
    DatabaseSecret::parse(&value.secret_string?).ok()
}
