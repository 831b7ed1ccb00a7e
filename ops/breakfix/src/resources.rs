//! The lab's own AWS resources: names, sizes and thresholds in one place, and the calls that create them.
//!
//! Stands in for what the infrastructure code declares in AWS, and is to be replaced by its templates: keep it data-like.
//! Idempotent: what is there stays as it is, so a changed parameter or a rotated secret survives a second run.
//! Numbers come from the requirement texts: the ECS health check guide (30/5/3/60), the service's task definition
//! (256 CPU units, 512 MiB) and the resilience lab (2 tasks). The balancer's health check
//! stands in the contract, because `reset` restores it.

pub(crate) mod alarms;
mod balancer;
pub(crate) mod dashboards;
mod deployments;
mod firewall;
mod metric_filters;
mod notifications;
mod roles;
mod scaling;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_ecs::types as ecs;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use contract::names::{env, resource};

pub(crate) use deployments::Deployments;

use crate::{lab::Ready, problem};

/// CPU units of a task (1024 is one CPU).
const CPU_UNITS: &str = "256";
/// Memory limit of a task in MiB.
const MEMORY_MIB: &str = "512";
/// Seconds between SIGTERM and SIGKILL.
const STOP_TIMEOUT_S: i32 = 30;

/// Container health check: seconds between checks, patience for one, failures in a row, grace at the start.
const CHECK_INTERVAL_S: i32 = 30;
const CHECK_TIMEOUT_S: i32 = 5;
const CHECK_RETRIES: i32 = 3;
const CHECK_START_PERIOD_S: i32 = 60;

/// Rolling deployment: never fewer than all, at most twice as many.
const MINIMUM_HEALTHY_PERCENT: i32 = 100;
const MAXIMUM_PERCENT: i32 = 200;
/// Seconds after a start in which the balancer's verdict does not replace a task.
const HEALTH_CHECK_GRACE_S: i32 = 60;

/// Days for which log events are kept.
const LOG_RETENTION_DAYS: i32 = 7;

/// Network identifiers in the VPC of the account. One subnet for each zone.
const SUBNETS: [&str; 2] = ["subnet-0000000000000001a", "subnet-0000000000000001b"];
const TASK_GROUP: &str = "sg-0000000000000001b";

/// What the rest of `up` needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Created {
    pub alb_url: String,
    pub target_group_arn: String,
}

/// The load balancer and its target group as metrics name them.
#[derive(Default)]
pub(crate) struct Dimensions {
    pub(crate) load_balancer: String,
    pub(crate) target_group: String,
    pub(crate) region: String,
    /// Where deployments are blue/green.
    pub(crate) green_target_group: Option<String>,
}

/// The ports of the load balancer's listeners, and who deploys the service behind them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) balancer_port: u16,
    pub(crate) test_port: u16,
    pub(crate) deployments: Deployments,
}

/// Creates what is missing. What does not depend on each other is created at the same time.
///
/// # Errors
/// The first call that fails, with AWS's code and message.
pub(crate) async fn create(config: &SdkConfig, ready: &Ready, wanted: Wanted) -> Result<Created> {
    let ecs = aws_sdk_ecs::Client::new(config);
    let (secret_arn, (balancer, dimensions, routes), topic_arn, (), (), (), (), ()) = tokio::try_join!(
        secret(config, ready),
        balancer::create(config, wanted),
        notifications::create(config),
        parameter(config),
        buckets(config),
        log_group(config),
        cluster(&ecs),
        roles::create(config, ready),
    )?;
    tokio::try_join!(
        service(&ecs, ready, &secret_arn, &balancer.target_group_arn, wanted.deployments),
        alarms::create(config, &dimensions, &topic_arn),
        dashboards::create(config, &dimensions),
    )?;
    scaling::create(config, &dimensions).await?;
    if let Some(routes) = routes {
        deployments::create(config, &ready.account_id, &routes).await?;
    }
    Ok(balancer)
}

/// Takes "it exists" for an answer; every other failure stays one.
fn created_or_there<T, E>(creating: &'static str, there: &str, result: Result<T, SdkError<E>>) -> Result<Option<T>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some(there) => Ok(None),
        Err(error) => Err(problem::aws(creating, error)),
    }
}

async fn parameter(config: &SdkConfig) -> Result<()> {
    let put = aws_sdk_ssm::Client::new(config)
        .put_parameter()
        .name(resource::FAILURE_MODE_PARAMETER)
        .value("none")
        .r#type(aws_sdk_ssm::types::ParameterType::String)
        .description("What is broken on purpose");
    created_or_there("creating the failure-mode parameter", "ParameterAlreadyExists", put.send().await)?;
    Ok(())
}

async fn secret(config: &SdkConfig, ready: &Ready) -> Result<String> {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let file = &ready.database.app_secret_file;
    let value = std::fs::read_to_string(file)
        .with_context(|| format!("reading the database's first credentials from {}", file.display()))?;
    let create = secrets
        .create_secret()
        .name(resource::DB_SECRET)
        .description("The application's role in the database")
        .secret_string(value);
    let arn = match created_or_there("creating the database secret", "ResourceExistsException", create.send().await)? {
        Some(created) => created.arn,
        None => {
            let described = secrets.describe_secret().secret_id(resource::DB_SECRET).send().await;
            described.map_err(|error| problem::aws("reading the secret's ARN", error))?.arn
        }
    };
    arn.context("Secrets Manager gave the secret no ARN")
}

async fn buckets(config: &SdkConfig) -> Result<()> {
    // Path style: a bucket in the host name would need a name server that knows 127.0.0.1's buckets.
    let path_style = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(path_style);
    for bucket in [resource::HEALTH_BUCKET, resource::ACCESS_LOG_BUCKET] {
        let create = s3.create_bucket().bucket(bucket);
        created_or_there("creating a bucket", "BucketAlreadyOwnedByYou", create.send().await)?;
    }
    Ok(())
}

async fn log_group(config: &SdkConfig) -> Result<()> {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let create = logs.create_log_group().log_group_name(resource::LOG_GROUP);
    created_or_there("creating the log group", "ResourceAlreadyExistsException", create.send().await)?;
    let keep = logs.put_retention_policy().log_group_name(resource::LOG_GROUP).retention_in_days(LOG_RETENTION_DAYS);
    keep.send().await.map_err(|error| problem::aws("setting the log group's retention", error))?;
    metric_filters::create(&logs).await
}

async fn cluster(ecs: &aws_sdk_ecs::Client) -> Result<()> {
    // CreateCluster answers an existing cluster of that name with itself.
    let create = ecs.create_cluster().cluster_name(resource::CLUSTER);
    create.send().await.map_err(|error| problem::aws("creating the cluster", error))?;
    Ok(())
}

async fn service(
    ecs: &aws_sdk_ecs::Client,
    ready: &Ready,
    secret_arn: &str,
    target_group_arn: &str,
    deployments: Deployments,
) -> Result<()> {
    let described = ecs.describe_services().cluster(resource::CLUSTER).services(resource::SERVICE).send().await;
    let described = described.map_err(|error| problem::aws("reading the service", error))?;
    if described.services().iter().any(|service| service.status() == Some("ACTIVE")) {
        return Ok(());
    }
    let registered = task_definition(ecs, ready, secret_arn).send().await;
    let registered = registered.map_err(|error| problem::aws("registering the task definition", error))?;
    let revision = registered.task_definition().and_then(ecs::TaskDefinition::task_definition_arn);
    let breaker = ecs::DeploymentCircuitBreaker::builder().enable(true).rollback(true).build();
    let deployment = ecs::DeploymentConfiguration::builder()
        .deployment_circuit_breaker(breaker)
        .minimum_healthy_percent(MINIMUM_HEALTHY_PERCENT)
        .maximum_percent(MAXIMUM_PERCENT)
        .build();
    let network = ecs::AwsVpcConfiguration::builder()
        .set_subnets(Some(SUBNETS.map(Into::into).to_vec()))
        .security_groups(TASK_GROUP)
        .assign_public_ip(ecs::AssignPublicIp::Disabled)
        .build()?;
    let targets = ecs::LoadBalancer::builder()
        .target_group_arn(target_group_arn)
        .container_name(resource::CONTAINER)
        .container_port(i32::from(resource::CONTAINER_PORT))
        .build();
    let create = ecs
        .create_service()
        .cluster(resource::CLUSTER)
        .service_name(resource::SERVICE)
        .task_definition(revision.context("the task definition has no ARN")?)
        .desired_count(resource::DESIRED_COUNT)
        .launch_type(ecs::LaunchType::Fargate)
        .health_check_grace_period_seconds(HEALTH_CHECK_GRACE_S)
        .network_configuration(ecs::NetworkConfiguration::builder().awsvpc_configuration(network).build())
        .load_balancers(targets);
    let create = match deployments {
        Deployments::Rolling => create.deployment_configuration(deployment),
        Deployments::CodeDeploy => create.deployment_controller(
            ecs::DeploymentController::builder().r#type(ecs::DeploymentControllerType::CodeDeploy).build()?,
        ),
    };
    create.send().await.map_err(|error| problem::aws("creating the service", error))?;
    Ok(())
}

fn task_definition(
    ecs: &aws_sdk_ecs::Client,
    ready: &Ready,
    secret_arn: &str,
) -> aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder {
    let (container_port, admin_port) = (resource::CONTAINER_PORT, resource::ADMIN_PORT);
    // The endpoint takes OTLP, as a collector beside the tasks does in AWS.
    // Both listeners are written out because the laptop gives each task an address of its own by rewriting them.
    let environment = [
        (env::PARAM_FAILURE_MODE, resource::FAILURE_MODE_PARAMETER.to_owned()),
        (env::DB_SECRET_ARN, secret_arn.to_owned()),
        (env::DB_CREDENTIALS, "runtime".to_owned()),
        (env::S3_BUCKET_NAME, resource::HEALTH_BUCKET.to_owned()),
        (env::BIND_ADDR, format!("0.0.0.0:{container_port}")),
        (env::ADMIN_ADDR, format!("127.0.0.1:{admin_port}")),
        (env::OTLP_ENDPOINT, ready.endpoint.clone()),
        (env::METRICS_EXPORTER, "none".to_owned()),
    ]
    .map(|(name, value)| ecs::KeyValuePair::builder().name(name).value(value).build());
    let logs = [
        ("awslogs-group", resource::LOG_GROUP),
        ("awslogs-region", ready.region.as_str()),
        ("awslogs-stream-prefix", resource::LOG_STREAM_PREFIX),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let log_configuration =
        ecs::LogConfiguration::builder().log_driver(ecs::LogDriver::Awslogs).set_options(Some(logs.into())).build();
    let container_check = ecs::HealthCheck::builder()
        .set_command(Some(["CMD", "golden", "healthcheck"].map(Into::into).to_vec()))
        .interval(CHECK_INTERVAL_S)
        .timeout(CHECK_TIMEOUT_S)
        .retries(CHECK_RETRIES)
        .start_period(CHECK_START_PERIOD_S)
        .build();
    let container = ecs::ContainerDefinition::builder()
        .name(resource::CONTAINER)
        .image(format!("{}:{}", resource::IMAGE_REPOSITORY, resource::IMAGE_TAG))
        .essential(true)
        .port_mappings(
            ecs::PortMapping::builder()
                .container_port(i32::from(container_port))
                .protocol(ecs::TransportProtocol::Tcp)
                .build(),
        )
        .set_environment(Some(environment.into()))
        .set_log_configuration(log_configuration.ok())
        .set_health_check(container_check.ok())
        .stop_timeout(STOP_TIMEOUT_S)
        .build();
    let role = |name: &str| format!("arn:aws:iam::{}:role/{name}", ready.account_id);
    ecs.register_task_definition()
        .family(resource::TASK_FAMILY)
        .network_mode(ecs::NetworkMode::Awsvpc)
        .requires_compatibilities(ecs::Compatibility::Fargate)
        .cpu(CPU_UNITS)
        .memory(MEMORY_MIB)
        .task_role_arn(role(resource::TASK_ROLE))
        .execution_role_arn(role(resource::EXECUTION_ROLE))
        .container_definitions(container)
}
