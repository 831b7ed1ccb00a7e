//! How the service is deployed: by ECS as a rolling update, or blue/green by CodeDeploy with a second target group, a test listener,
//! an application and a deployment group.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_codedeploy::{Client, types as deploy};
use clap::ValueEnum;
use contract::names::resource;

use super::{created_or_there, problem};

/// Who deploys the service: the `--deployments` of `up`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deployments {
    /// ECS, task by task, with the circuit breaker.
    #[default]
    Rolling,
    /// CodeDeploy, blue/green with two target groups and a test listener.
    CodeDeploy,
}

/// The listeners and target groups between which traffic is shifted.
pub(super) struct Routes {
    pub(super) production: String,
    pub(super) test: String,
}

/// How traffic is shifted unless a deployment says otherwise: a tenth of it for 15 minutes, longer than the slowest of the rollback
/// alarms needs.
const CONFIGURATION: &str = "CodeDeployDefault.ECSCanary10Percent15Minutes";
/// Minutes for which the original task set stays after the shift. The canary has been the time to look.
const TERMINATION_WAIT_MINUTES: i32 = 0;
/// What stops and rolls back a deployment.
const ALARMS: [&str; 2] = ["golden-5xx-rate", "golden-latency-p95"];

/// Creates application and deployment group. The service and the alarms must be there.
pub(super) async fn create(config: &SdkConfig, account_id: &str, routes: &Routes) -> Result<()> {
    let client = Client::new(config);
    let application = client
        .create_application()
        .application_name(resource::DEPLOY_APPLICATION)
        .compute_platform(deploy::ComputePlatform::Ecs);
    let there = "ApplicationAlreadyExistsException";
    created_or_there("creating the CodeDeploy application", there, application.send().await)?;
    let group = client
        .create_deployment_group()
        .application_name(resource::DEPLOY_APPLICATION)
        .deployment_group_name(resource::DEPLOYMENT_GROUP)
        .deployment_config_name(CONFIGURATION)
        .service_role_arn(format!("arn:aws:iam::{account_id}:role/{}", resource::DEPLOY_ROLE))
        .deployment_style(
            deploy::DeploymentStyle::builder()
                .deployment_type(deploy::DeploymentType::BlueGreen)
                .deployment_option(deploy::DeploymentOption::WithTrafficControl)
                .build(),
        )
        .blue_green_deployment_configuration(blue_green())
        .load_balancer_info(
            deploy::LoadBalancerInfo::builder().target_group_pair_info_list(target_group_pair(routes)).build(),
        )
        .alarm_configuration(
            deploy::AlarmConfiguration::builder()
                .enabled(true)
                .set_alarms(Some(ALARMS.map(|name| deploy::Alarm::builder().name(name).build()).into()))
                .build(),
        )
        .auto_rollback_configuration(
            deploy::AutoRollbackConfiguration::builder()
                .enabled(true)
                .events(deploy::AutoRollbackEvent::DeploymentFailure)
                .events(deploy::AutoRollbackEvent::DeploymentStopOnAlarm)
                .build(),
        )
        .ecs_services(
            deploy::EcsService::builder().cluster_name(resource::CLUSTER).service_name(resource::SERVICE).build(),
        );
    let there = "DeploymentGroupAlreadyExistsException";
    created_or_there("creating the deployment group", there, group.send().await)?;
    Ok(())
}

fn blue_green() -> deploy::BlueGreenDeploymentConfiguration {
    deploy::BlueGreenDeploymentConfiguration::builder()
        .terminate_blue_instances_on_deployment_success(
            deploy::BlueInstanceTerminationOption::builder()
                .action(deploy::InstanceAction::Terminate)
                .termination_wait_time_in_minutes(TERMINATION_WAIT_MINUTES)
                .build(),
        )
        .deployment_ready_option(
            deploy::DeploymentReadyOption::builder()
                .action_on_timeout(deploy::DeploymentReadyAction::ContinueDeployment)
                .build(),
        )
        .build()
}

fn target_group_pair(routes: &Routes) -> deploy::TargetGroupPairInfo {
    let route = |listener: &str| deploy::TrafficRoute::builder().listener_arns(listener).build();
    let groups = [resource::TARGET_GROUP, resource::GREEN_TARGET_GROUP]
        .map(|name| deploy::TargetGroupInfo::builder().name(name).build());
    deploy::TargetGroupPairInfo::builder()
        .set_target_groups(Some(groups.into()))
        .prod_traffic_route(route(&routes.production))
        .test_traffic_route(route(&routes.test))
        .build()
}

/// The ARN of the listener on this port.
pub(super) async fn listener(
    elb: &aws_sdk_elasticloadbalancingv2::Client,
    balancer_arn: &str,
    port: u16,
) -> Result<String> {
    let described = elb.describe_listeners().load_balancer_arn(balancer_arn).send().await;
    let listeners = described.map_err(|error| problem::aws("reading the listeners", error))?.listeners;
    let mut listeners = listeners.unwrap_or_default().into_iter();
    let found = listeners.find(|listener| listener.port == Some(i32::from(port)));
    found.and_then(|listener| listener.listener_arn).with_context(|| format!("no listener on port {port} is described"))
}
