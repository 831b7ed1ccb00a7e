//! Doing the steps of a plan, by AWS APIs and SQL only.

mod code_deploy;
mod credentials;
mod firewall;
mod sessions;

use aws_sdk_applicationautoscaling::{
    operation::register_scalable_target::builders::RegisterScalableTargetFluentBuilder,
    types::{ScalableDimension, ServiceNamespace, SuspendedState},
};
use aws_sdk_elasticloadbalancingv2::types::Matcher;
use aws_sdk_ssm::types::ParameterType;

use crate::{
    AwsError, Clients, Names, StepError,
    observe::{HealthCheck, Limits, RolePolicy, by_code_deploy},
    plan::{Action, Step},
    wording,
};

/// Does one step, and says by which means.
pub(crate) async fn apply(clients: &Clients, names: &Names, step: &Step) -> Result<String, StepError> {
    match &step.action {
        Action::SetParameter => set_parameter(clients, names).await,
        Action::RestoreRolePolicy(held) => restore_role_policy(clients, held).await,
        Action::RestoreHealthCheck(wanted) => restore_health_check(clients, wanted).await,
        Action::RestoreFirewall(held) => Ok(firewall::restore(clients, held).await?),
        Action::StopDeployment { id } => code_deploy::stop(clients, id).await,
        Action::RollBack { task_definition } => roll_back(clients, names, task_definition).await,
        Action::SetDesiredCount { count } => set_desired_count(clients, names, *count).await,
        Action::HoldCapacity { resource_id, count } => hold_capacity(clients, resource_id, *count).await,
        Action::RestoreScaling { resource_id, limits } => restore_scaling(clients, resource_id, *limits).await,
        Action::RestoreSecret => restore_secret(clients, names).await,
        Action::RepairCredentials => credentials::repair(clients, names).await,
        Action::EndSessions { forgotten } => sessions::end(clients, names, forgotten).await,
        Action::HealTasks => Ok("waited for by the verification".to_owned()),
    }
}

async fn set_parameter(clients: &Clients, names: &Names) -> Result<String, StepError> {
    // The type is needed where the parameter is missing, and must not change where it is there.
    let put = clients
        .ssm
        .put_parameter()
        .name(&names.parameter)
        .value("none")
        .r#type(ParameterType::String)
        .overwrite(true)
        .send()
        .await
        .map_err(AwsError::from_sdk("ssm:PutParameter"))?;
    Ok(format!("PutParameter wrote version {}", put.version))
}

async fn restore_role_policy(clients: &Clients, held: &RolePolicy) -> Result<String, StepError> {
    let RolePolicy { role, policy_name, shipped, denying, .. } = held;
    let put = clients.iam.put_role_policy().role_name(role).policy_name(policy_name).policy_document(shipped);
    put.send().await.map_err(AwsError::from_sdk("iam:PutRolePolicy"))?;
    for name in denying {
        let delete = clients.iam.delete_role_policy().role_name(role).policy_name(name);
        delete.send().await.map_err(AwsError::from_sdk("iam:DeleteRolePolicy"))?;
    }
    let deleted = if denying.is_empty() { "" } else { " and DeleteRolePolicy" };
    Ok(format!("PutRolePolicy{deleted}"))
}

async fn restore_health_check(clients: &Clients, wanted: &HealthCheck) -> Result<String, StepError> {
    clients
        .elbv2
        .modify_target_group()
        .target_group_arn(&wanted.target_group_arn)
        .health_check_enabled(wanted.enabled)
        .health_check_path(&wanted.path)
        .health_check_port(&wanted.port)
        .health_check_interval_seconds(wanted.interval_s)
        .health_check_timeout_seconds(wanted.timeout_s)
        .healthy_threshold_count(wanted.healthy_threshold)
        .unhealthy_threshold_count(wanted.unhealthy_threshold)
        .matcher(Matcher::builder().http_code(&wanted.matcher).build())
        .send()
        .await
        .map_err(AwsError::from_sdk("elasticloadbalancing:ModifyTargetGroup"))?;
    Ok("ModifyTargetGroup".to_owned())
}

const UPDATE_SERVICE: &str = "ecs:UpdateService";

async fn roll_back(clients: &Clients, names: &Names, task_definition: &str) -> Result<String, StepError> {
    let update = clients.ecs.update_service().cluster(&names.cluster).service(&names.service);
    update.task_definition(task_definition).send().await.map_err(AwsError::from_sdk(UPDATE_SERVICE))?;
    Ok(format!("UpdateService to {}", task_definition.rsplit('/').next().unwrap_or(task_definition)))
}

async fn set_desired_count(clients: &Clients, names: &Names, count: i32) -> Result<String, StepError> {
    let update = clients.ecs.update_service().cluster(&names.cluster).service(&names.service);
    update.desired_count(count).send().await.map_err(AwsError::from_sdk(UPDATE_SERVICE))?;
    Ok(format!("UpdateService to {}", wording::tasks(count)))
}

const REGISTER_TARGET: &str = "application-autoscaling:RegisterScalableTarget";

fn register(clients: &Clients, resource_id: &str) -> RegisterScalableTargetFluentBuilder {
    let register = clients.scaling.register_scalable_target().service_namespace(ServiceNamespace::Ecs);
    register.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).resource_id(resource_id)
}

async fn hold_capacity(clients: &Clients, resource_id: &str, count: i32) -> Result<String, StepError> {
    let register = register(clients, resource_id).min_capacity(count).max_capacity(count);
    register.send().await.map_err(AwsError::from_sdk(REGISTER_TARGET))?;
    Ok(format!("RegisterScalableTarget with {} at most", wording::tasks(count)))
}

async fn restore_scaling(clients: &Clients, resource_id: &str, limits: Limits) -> Result<String, StepError> {
    let suspended = SuspendedState::builder()
        .dynamic_scaling_in_suspended(limits.scale_in_suspended)
        .dynamic_scaling_out_suspended(limits.scale_out_suspended)
        .scheduled_scaling_suspended(limits.scheduled_suspended)
        .build();
    let register = register(clients, resource_id).min_capacity(limits.minimum).max_capacity(limits.maximum);
    register.suspended_state(suspended).send().await.map_err(AwsError::from_sdk(REGISTER_TARGET))?;
    Ok(format!("RegisterScalableTarget with {limits}"))
}

async fn restore_secret(clients: &Clients, names: &Names) -> Result<String, StepError> {
    let restore = clients.secretsmanager.restore_secret().secret_id(&names.secret);
    restore.send().await.map_err(AwsError::from_sdk("secretsmanager:RestoreSecret"))?;
    Ok("RestoreSecret".to_owned())
}

/// Replaces every task of the service.
pub(crate) async fn force_new_deployment(clients: &Clients, names: &Names) -> Result<(), StepError> {
    const DESCRIBE: &str = "ecs:DescribeServices";
    let described = clients.ecs.describe_services().cluster(&names.cluster).services(&names.service).send().await;
    if described.map_err(AwsError::from_sdk(DESCRIBE))?.services().iter().any(by_code_deploy) {
        return Ok(code_deploy::replace_tasks(clients, names).await?);
    }
    let update = clients.ecs.update_service().cluster(&names.cluster).service(&names.service);
    update.force_new_deployment(true).send().await.map_err(AwsError::from_sdk(UPDATE_SERVICE))?;
    Ok(())
}
