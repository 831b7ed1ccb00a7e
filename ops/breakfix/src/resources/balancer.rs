//! The load balancer: its listeners and target groups, one of each, or two where deployments are blue/green.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_elasticloadbalancingv2::types as elb;
use contract::names::{health_check, resource};
use twin_platform::Account;

use super::{
    Created, Deployments, Dimensions, SUBNETS, Wanted, created_or_there,
    deployments::{self, Routes},
    firewall, problem,
};

/// Seconds for which a leaving target still finishes its requests.
const DEREGISTRATION_DELAY_S: &str = "30";

/// The balancer's security group.
const BALANCER_GROUP: &str = "sg-0000000000000001a";

/// The end of an ARN that a metric has as its dimension, by AWS's rule: no API answers it.
fn dimension(arn: &str) -> String {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    resource.strip_prefix("loadbalancer/").unwrap_or(resource).to_owned()
}

/// Creates load balancer, target groups and listeners.
pub(super) async fn create(config: &SdkConfig, wanted: Wanted) -> Result<(Created, Dimensions, Option<Routes>)> {
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(config);
    let (balancer, target_group_arn) =
        tokio::try_join!(load_balancer(&elb), target_group(&elb, resource::TARGET_GROUP))?;
    let arn = balancer.load_balancer_arn().context("the load balancer has no ARN")?;
    tokio::try_join!(access_log(&elb, arn), firewall::create(config, arn))?;
    listener(&elb, arn, wanted.balancer_port, &target_group_arn).await?;
    let host = balancer.dns_name().context("the load balancer has no DNS name")?;
    let mut dimensions = Dimensions {
        load_balancer: dimension(arn),
        target_group: dimension(&target_group_arn),
        green_target_group: None,
        region: config.region().map_or_else(String::new, ToString::to_string),
    };
    let routes = match wanted.deployments {
        Deployments::Rolling => None,
        Deployments::CodeDeploy => {
            let green = target_group(&elb, resource::GREEN_TARGET_GROUP).await?;
            dimensions.green_target_group = Some(dimension(&green));
            listener(&elb, arn, wanted.test_port, &target_group_arn).await?;
            let production = deployments::listener(&elb, arn, wanted.balancer_port).await?;
            let test = deployments::listener(&elb, arn, wanted.test_port).await?;
            Some(Routes { production, test })
        }
    };
    let alb_url = format!("http://{host}:{}", wanted.balancer_port);
    Ok((Created { alb_url, target_group_arn }, dimensions, routes))
}

async fn listener(
    elb: &aws_sdk_elasticloadbalancingv2::Client,
    balancer_arn: &str,
    port: u16,
    target_group_arn: &str,
) -> Result<()> {
    let listener = elb
        .create_listener()
        .load_balancer_arn(balancer_arn)
        .protocol(elb::ProtocolEnum::Http)
        .port(i32::from(port))
        .default_actions(
            elb::Action::builder().r#type(elb::ActionTypeEnum::Forward).target_group_arn(target_group_arn).build(),
        );
    created_or_there("creating the listener", "DuplicateListener", listener.send().await)?;
    Ok(())
}

async fn access_log(elb: &aws_sdk_elasticloadbalancingv2::Client, arn: &str) -> Result<()> {
    let attributes = [("access_logs.s3.enabled", "true"), ("access_logs.s3.bucket", resource::ACCESS_LOG_BUCKET)]
        .map(|(key, value)| elb::LoadBalancerAttribute::builder().key(key).value(value).build());
    let set = elb.modify_load_balancer_attributes().load_balancer_arn(arn).set_attributes(Some(attributes.into()));
    set.send().await.map_err(|error| problem::aws("turning the access log on", error))?;
    Ok(())
}

async fn load_balancer(elb: &aws_sdk_elasticloadbalancingv2::Client) -> Result<elb::LoadBalancer> {
    let create = elb
        .create_load_balancer()
        .name(resource::LOAD_BALANCER)
        .r#type(elb::LoadBalancerTypeEnum::Application)
        .scheme(elb::LoadBalancerSchemeEnum::InternetFacing)
        .set_subnets(Some(SUBNETS.map(Into::into).to_vec()))
        .security_groups(BALANCER_GROUP);
    let made = created_or_there("creating the load balancer", "DuplicateLoadBalancerName", create.send().await)?;
    let found = match made {
        Some(created) => created.load_balancers,
        None => {
            let described = elb.describe_load_balancers().names(resource::LOAD_BALANCER).send().await;
            described.map_err(|error| problem::aws("reading the load balancer", error))?.load_balancers
        }
    };
    found.unwrap_or_default().into_iter().next().context("the load balancer was created but is not described")
}

async fn target_group(elb: &aws_sdk_elasticloadbalancingv2::Client, name: &str) -> Result<String> {
    let create = elb
        .create_target_group()
        .name(name)
        .protocol(elb::ProtocolEnum::Http)
        .port(i32::from(resource::CONTAINER_PORT))
        .vpc_id(Account::VPC)
        .target_type(elb::TargetTypeEnum::Ip)
        .health_check_protocol(elb::ProtocolEnum::Http)
        .health_check_path(health_check::PATH)
        .health_check_interval_seconds(health_check::INTERVAL_S)
        .health_check_timeout_seconds(health_check::TIMEOUT_S)
        .healthy_threshold_count(health_check::HEALTHY_THRESHOLD)
        .unhealthy_threshold_count(health_check::UNHEALTHY_THRESHOLD)
        .matcher(elb::Matcher::builder().http_code(health_check::MATCHER).build());
    let made = created_or_there("creating the target group", "DuplicateTargetGroupName", create.send().await)?;
    let found = match made {
        Some(created) => created.target_groups,
        None => {
            let described = elb.describe_target_groups().names(name).send().await;
            described.map_err(|error| problem::aws("reading the target group", error))?.target_groups
        }
    };
    let group = found.unwrap_or_default().into_iter().next().context("the target group is not described")?;
    let arn = group.target_group_arn.context("the target group has no ARN")?;
    let delay = elb::TargetGroupAttribute::builder()
        .key("deregistration_delay.timeout_seconds")
        .value(DEREGISTRATION_DELAY_S)
        .build();
    let set = elb.modify_target_group_attributes().target_group_arn(&arn).attributes(delay);
    set.send().await.map_err(|error| problem::aws("setting the deregistration delay", error))?;
    Ok(arn)
}
