//! Doing the steps of a plan, by AWS APIs and SQL only.

mod credentials;
mod sessions;

use aws_sdk_elasticloadbalancingv2::types::Matcher;
use aws_sdk_ssm::types::ParameterType;

use crate::{
    AwsError, Clients, Names, StepError,
    observe::HealthCheck,
    plan::{Action, Step},
    wording,
};

/// Does one step, and says by which means.
pub(crate) async fn apply(clients: &Clients, names: &Names, step: &Step) -> Result<String, StepError> {
    match &step.action {
        Action::SetParameter => set_parameter(clients, names).await,
        Action::RestoreHealthCheck(wanted) => restore_health_check(clients, wanted).await,
        Action::RollBack { task_definition } => roll_back(clients, names, task_definition).await,
        Action::SetDesiredCount { count } => set_desired_count(clients, names, *count).await,
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

async fn restore_secret(clients: &Clients, names: &Names) -> Result<String, StepError> {
    let restore = clients.secretsmanager.restore_secret().secret_id(&names.secret);
    restore.send().await.map_err(AwsError::from_sdk("secretsmanager:RestoreSecret"))?;
    Ok("RestoreSecret".to_owned())
}

/// Replaces every task of the service.
pub(crate) async fn force_new_deployment(clients: &Clients, names: &Names) -> Result<(), StepError> {
    let update = clients.ecs.update_service().cluster(&names.cluster).service(&names.service);
    update.force_new_deployment(true).send().await.map_err(AwsError::from_sdk(UPDATE_SERVICE))?;
    Ok(())
}
