//! The ECS service: how many tasks are wanted and running, and what it is busy with.

use aws_sdk_ecs::types::{Deployment as EcsDeployment, DeploymentControllerType, Service as EcsService};
use contract::names::resource;
use serde::Serialize;
use time::OffsetDateTime;

use super::{
    Reads, code_deploy,
    parameter::timestamp,
    reads,
    serving::{self, Serving},
};
use crate::{AwsError, Clients, Names};

/// Events that are kept, newest first: the last few tell what the service is busy with.
const EVENTS_KEPT: usize = 10;

/// The service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// ARN of the service.
    pub arn: String,
    /// `ACTIVE`, `DRAINING`, `INACTIVE`.
    pub status: String,
    /// Tasks wanted.
    pub desired: i32,
    /// Tasks running.
    pub running: i32,
    /// Tasks on their way.
    pub pending: i32,
    /// ARN of the task definition that the service deploys.
    pub task_definition: String,
    /// CodeDeploy's deployment that is under way, where CodeDeploy deploys the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_deploy: Option<String>,
    /// Target group that gets the service's traffic.
    #[serde(flatten)]
    pub serving: Serving,
    /// Newest first; the primary is what the service wants.
    pub deployments: Vec<Deployment>,
    /// The last events, newest first.
    pub events: Vec<ServiceEvent>,
    /// Active revisions of the family, newest first: where a rollback may go.
    pub revisions: Vec<String>,
    /// What its tasks read.
    pub reads: Reads,
}

impl Service {
    /// The deployment that the service works towards.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.status == "PRIMARY")
    }
}

/// One deployment of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// `PRIMARY`, `ACTIVE` (being replaced) or `INACTIVE`.
    pub status: String,
    /// ARN of its task definition.
    pub task_definition: String,
    /// Tasks wanted.
    pub desired: i32,
    /// Tasks running.
    pub running: i32,
    /// Tasks on their way.
    pub pending: i32,
    /// Tasks that failed to start.
    pub failed: i32,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`.
    pub rollout_state: Option<String>,
    /// ECS's words for it.
    pub rollout_reason: Option<String>,
}

/// One line of the service's event list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceEvent {
    /// When.
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
    /// ECS's words.
    pub message: String,
}

/// The service in ECS's own words.
pub(super) async fn describe(clients: &Clients, names: &Names) -> Result<EcsService, AwsError> {
    const OPERATION: &str = "ecs:DescribeServices";
    let reply = clients.ecs.describe_services().cluster(&names.cluster).services(&names.service).send().await;
    let services = reply.map_err(AwsError::from_sdk(OPERATION))?.services;
    services.and_then(|services| services.into_iter().next()).ok_or_else(|| {
        let reason = format!("cluster {} has no service {}", names.cluster, names.service);
        AwsError { operation: OPERATION, code: Some("ServiceNotFoundException".into()), reason }
    })
}

pub(super) async fn read(clients: &Clients, names: &Names) -> Result<Service, AwsError> {
    let service = describe(clients, names).await?;
    let by_code_deploy = by_code_deploy(&service);
    let serving = serving::read(clients, &service).await?;
    let mut service = Service::from_ecs(service, serving);
    let (revisions, reads) =
        tokio::join!(revisions(clients, &service.task_definition), reads::of(clients, &service.task_definition));
    service.revisions = revisions?;
    if by_code_deploy {
        service.code_deploy = code_deploy::under_way(clients).await?;
    }
    // Only for a warning: who may not describe a task definition still sees the service.
    service.reads = reads.unwrap_or_default();
    Ok(service)
}

/// Whether the service leaves its deployments to CodeDeploy.
pub(crate) fn by_code_deploy(service: &EcsService) -> bool {
    service.deployment_controller().is_some_and(|it| *it.r#type() == DeploymentControllerType::CodeDeploy)
}

async fn revisions(clients: &Clients, task_definition: &str) -> Result<Vec<String>, AwsError> {
    let family = family_of(task_definition).unwrap_or(resource::TASK_FAMILY);
    // ECS answers in this order only when it is asked for; without it a rollback would go to the oldest revision.
    let reply = clients
        .ecs
        .list_task_definitions()
        .family_prefix(family)
        .sort(aws_sdk_ecs::types::SortOrder::Desc)
        .max_results(20)
        .send()
        .await;
    Ok(reply.map_err(AwsError::from_sdk("ecs:ListTaskDefinitions"))?.task_definition_arns.unwrap_or_default())
}

/// `golden` of `arn:aws:ecs:us-east-1:123456789012:task-definition/golden:3`.
fn family_of(task_definition: &str) -> Option<&str> {
    let (family, _revision) = task_definition.rsplit('/').next()?.rsplit_once(':')?;
    (!family.is_empty()).then_some(family)
}

impl Service {
    fn from_ecs(service: EcsService, serving: Serving) -> Self {
        let events = service.events.unwrap_or_default().into_iter().take(EVENTS_KEPT);
        Self {
            arn: service.service_arn.unwrap_or_default(),
            status: service.status.unwrap_or_default(),
            desired: service.desired_count,
            running: service.running_count,
            pending: service.pending_count,
            task_definition: service.task_definition.unwrap_or_default(),
            code_deploy: None,
            serving,
            deployments: service.deployments.unwrap_or_default().into_iter().map(Deployment::from_ecs).collect(),
            events: events
                .map(|event| ServiceEvent {
                    at: event.created_at.as_ref().and_then(timestamp),
                    message: event.message.unwrap_or_default(),
                })
                .collect(),
            revisions: Vec::new(),
            reads: Reads::default(),
        }
    }
}

impl Deployment {
    fn from_ecs(deployment: EcsDeployment) -> Self {
        Self {
            id: deployment.id.unwrap_or_default(),
            status: deployment.status.unwrap_or_default(),
            task_definition: deployment.task_definition.unwrap_or_default(),
            desired: deployment.desired_count,
            running: deployment.running_count,
            pending: deployment.pending_count,
            failed: deployment.failed_tasks,
            rollout_state: deployment.rollout_state.map(|state| state.as_str().to_owned()),
            rollout_reason: deployment.rollout_state_reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_the_name_before_the_revision() {
        assert_eq!(family_of("arn:aws:ecs:us-east-1:123456789012:task-definition/golden:3"), Some("golden"));
        assert_eq!(family_of("golden:3"), Some("golden"));
        assert_eq!(family_of(""), None);
    }
}
