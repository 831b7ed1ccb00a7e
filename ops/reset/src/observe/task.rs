//! The service's tasks: those that live, and those that stopped lately.

use std::net::Ipv4Addr;

use aws_sdk_ecs::types::{DesiredStatus, Task as EcsTask};
use serde::Serialize;
use time::OffsetDateTime;

use super::parameter::timestamp;
use crate::{AwsError, Clients, Names};

/// A task that is not stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Last part of the ARN; also what the application calls itself in `x-lab-task`.
    pub id: String,
    /// Whole ARN.
    pub arn: String,
    /// ARN of its task definition.
    pub task_definition: String,
    /// `PROVISIONING`, `PENDING`, `RUNNING`, `DEACTIVATING`, `STOPPING`, …
    pub last_status: String,
    /// `RUNNING` or, when it is being stopped, `STOPPED`.
    pub desired_status: String,
    /// Container health: `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
    pub health: String,
    /// Private address of its network interface.
    pub private_ipv4: Option<Ipv4Addr>,
    /// Availability zone in which it runs.
    pub availability_zone: String,
    /// When its container started.
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
}

impl Task {
    /// Whether it runs and is meant to go on running.
    pub fn is_running(&self) -> bool {
        self.last_status == "RUNNING" && self.desired_status == "RUNNING"
    }
}

/// A task that stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoppedTask {
    /// Last part of the ARN.
    pub id: String,
    /// ARN of its task definition.
    pub task_definition: String,
    /// `TaskFailedToStart`, `EssentialContainerExited`, `ServiceSchedulerInitiated`, …
    pub stop_code: Option<String>,
    /// ECS's words for it.
    pub stopped_reason: Option<String>,
    /// Exit code of its container.
    pub exit_code: Option<i32>,
    /// Whether its container ever started.
    pub has_run: bool,
    /// When it stopped.
    #[serde(with = "time::serde::rfc3339::option")]
    pub stopped_at: Option<OffsetDateTime>,
}

/// The service's tasks that are not stopped.
///
/// # Errors
/// [`AwsError`] when ECS does not list or describe them.
pub async fn running(clients: &Clients, names: &Names) -> Result<Vec<Task>, AwsError> {
    let tasks = described(clients, names, DesiredStatus::Running).await?;
    Ok(tasks.into_iter().map(Task::from_ecs).filter(|task| task.last_status != "STOPPED").collect())
}

pub(super) async fn stopped(clients: &Clients, names: &Names) -> Result<Vec<StoppedTask>, AwsError> {
    let tasks = described(clients, names, DesiredStatus::Stopped).await?;
    let mut tasks: Vec<_> = tasks.into_iter().map(StoppedTask::from_ecs).collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
    Ok(tasks)
}

/// At most one page of tasks (100): what ECS describes in one call.
async fn described(clients: &Clients, names: &Names, status: DesiredStatus) -> Result<Vec<EcsTask>, AwsError> {
    let listed = clients
        .ecs
        .list_tasks()
        .cluster(&names.cluster)
        .service_name(&names.service)
        .desired_status(status)
        .send()
        .await
        .map_err(AwsError::from_sdk("ecs:ListTasks"))?;
    let arns = listed.task_arns.unwrap_or_default();
    // DescribeTasks refuses an empty list.
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let described = clients.ecs.describe_tasks().cluster(&names.cluster).set_tasks(Some(arns)).send().await;
    Ok(described.map_err(AwsError::from_sdk("ecs:DescribeTasks"))?.tasks.unwrap_or_default())
}

fn id_of(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

/// The address is a detail of the network attachment (mode awsvpc), else of the container's interface.
fn private_ipv4(task: &EcsTask) -> Option<Ipv4Addr> {
    let of_attachment = task
        .attachments()
        .iter()
        .flat_map(|attachment| attachment.details())
        .find(|detail| detail.name() == Some("privateIPv4Address"))
        .and_then(|detail| detail.value());
    let of_container = || {
        task.containers()
            .iter()
            .flat_map(|container| container.network_interfaces())
            .find_map(|interface| interface.private_ipv4_address())
    };
    of_attachment.or_else(of_container)?.parse().ok()
}

impl Task {
    fn from_ecs(task: EcsTask) -> Self {
        let private_ipv4 = private_ipv4(&task);
        let arn = task.task_arn.unwrap_or_default();
        Self {
            id: id_of(&arn),
            arn,
            task_definition: task.task_definition_arn.unwrap_or_default(),
            last_status: task.last_status.unwrap_or_default(),
            desired_status: task.desired_status.unwrap_or_default(),
            health: task.health_status.map_or_else(|| "UNKNOWN".to_owned(), |health| health.as_str().to_owned()),
            private_ipv4,
            availability_zone: task.availability_zone.unwrap_or_default(),
            started_at: task.started_at.as_ref().and_then(timestamp),
        }
    }
}

impl StoppedTask {
    fn from_ecs(task: EcsTask) -> Self {
        let exit_code = task.containers().iter().find_map(|container| container.exit_code());
        Self {
            id: id_of(task.task_arn.as_deref().unwrap_or_default()),
            task_definition: task.task_definition_arn.unwrap_or_default(),
            stop_code: task.stop_code.map(|code| code.as_str().to_owned()),
            stopped_reason: task.stopped_reason,
            exit_code,
            has_run: task.started_at.is_some(),
            stopped_at: task.stopped_at.as_ref().and_then(timestamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types::{Attachment, KeyValuePair};

    #[test]
    fn the_address_is_that_of_the_attachment() {
        let detail = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
        let attachment = Attachment::builder()
            .details(detail("subnetId", "subnet-1"))
            .details(detail("privateIPv4Address", "127.0.3.7"))
            .build();
        let task = EcsTask::builder()
            .task_arn("arn:aws:ecs:us-east-1:123456789012:task/golden/abc")
            .last_status("RUNNING")
            .desired_status("RUNNING")
            .attachments(attachment)
            .build();
        let task = Task::from_ecs(task);
        assert_eq!((task.id.as_str(), task.private_ipv4), ("abc", Some(Ipv4Addr::new(127, 0, 3, 7))));
        assert!(task.is_running());
        assert_eq!(task.health, "UNKNOWN");
    }
}
