//! One service: what is wanted, the deployments that get there, and the events that tell of it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use twin_platform::Account;
use winterbaume_ecs::model::{self, Tag};

use super::{Deployment, State, Status, epoch_s};
use crate::arn;

/// ECS keeps the newest hundred events of a service.
const EVENTS_MAX: usize = 100;

/// Cluster and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServiceKey {
    pub(crate) cluster: String,
    pub(crate) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceStatus {
    Active,
    Draining,
    Inactive,
}

impl ServiceStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// The deployment circuit breaker, when enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaker {
    pub(crate) rollback: bool,
}

/// Where a service's tasks are registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetOf {
    pub(crate) target_group_arn: String,
    pub(crate) container_port: u16,
}

pub(crate) struct Service {
    pub(crate) key: ServiceKey,
    pub(crate) status: ServiceStatus,
    pub(crate) created_at: f64,
    pub(crate) desired: u32,
    pub(crate) minimum_percent: u32,
    pub(crate) maximum_percent: u32,
    pub(crate) breaker: Option<Breaker>,
    /// Only services with load balancers have one.
    pub(crate) grace_s: Option<i32>,
    pub(crate) targets: Vec<TargetOf>,
    pub(crate) load_balancers: Vec<model::LoadBalancer>,
    pub(crate) network: Option<model::NetworkConfiguration>,
    pub(crate) propagate_tags: Option<String>,
    pub(crate) managed_tags: Option<bool>,
    pub(crate) tags: Vec<Tag>,
    /// The first is PRIMARY; the others still have tasks.
    pub(crate) deployments: Vec<Deployment>,
    /// Newest first.
    pub(crate) events: VecDeque<model::ServiceEvent>,
    /// Whether the last look found it steady.
    pub(crate) steady: bool,
    /// Tasks in a row that ended without ever being healthy; sets the back-off.
    pub(crate) failures_in_row: u32,
    /// No task is started before this.
    pub(crate) not_before: Option<Instant>,
}

impl Service {
    /// Tells an event, with the service's name in front as ECS does.
    pub(crate) fn tell(&mut self, message: &str) {
        self.events.push_front(model::ServiceEvent {
            id: Some(uuid::Uuid::new_v4().to_string()),
            created_at: Some(epoch_s()),
            message: Some(format!("(service {}) {message}", self.key.name)),
        });
        self.events.truncate(EVENTS_MAX);
    }

    /// Makes a deployment PRIMARY in front of the others.
    pub(crate) fn deploy(&mut self, deployment: Deployment) {
        self.deployments.insert(0, deployment);
        self.steady = false;
        self.failures_in_row = 0;
        self.not_before = None;
    }

    /// Keeps a service from starting tasks for a while.
    pub(crate) fn hold(&mut self, wait: Duration) {
        self.not_before = Some(Instant::now() + wait);
    }

    /// The API's view.
    pub(crate) fn wire(&self, account: &Account, state: &State) -> model::Service {
        let count = |deployment: Option<&str>| {
            let mut counts = (0, 0);
            for task in state.tasks_of(&self.key) {
                if deployment.is_some_and(|id| task.started_by.as_deref() != Some(id)) {
                    continue;
                }
                match task.status {
                    Status::Running => counts.0 += 1,
                    Status::Provisioning | Status::Pending | Status::Activating => counts.1 += 1,
                    _ => {}
                }
            }
            counts
        };
        let deployments = self.deployments.iter().enumerate().map(|(index, deployment)| {
            let counts = count(Some(&deployment.id));
            let status = if self.status == ServiceStatus::Inactive {
                "INACTIVE"
            } else if index == 0 {
                "PRIMARY"
            } else {
                "ACTIVE"
            };
            deployment.wire(self, status, if index == 0 { self.desired } else { 0 }, counts)
        });
        let (running, pending) = count(None);
        model::Service {
            service_arn: Some(arn::service(account, &self.key.cluster, &self.key.name)),
            service_name: Some(self.key.name.clone()),
            cluster_arn: Some(arn::cluster(account, &self.key.cluster)),
            status: Some(self.status.as_str().to_owned()),
            created_at: Some(self.created_at),
            created_by: Some(format!("arn:aws:iam::{}:root", account.id)),
            desired_count: i32::try_from(self.desired).ok(),
            running_count: Some(running),
            pending_count: Some(pending),
            launch_type: Some("FARGATE".into()),
            platform_version: Some("LATEST".into()),
            platform_family: Some("Linux".into()),
            scheduling_strategy: Some("REPLICA".into()),
            deployment_controller: Some(model::DeploymentController { r#type: "ECS".into() }),
            deployment_configuration: Some(model::DeploymentConfiguration {
                minimum_healthy_percent: i32::try_from(self.minimum_percent).ok(),
                maximum_percent: i32::try_from(self.maximum_percent).ok(),
                deployment_circuit_breaker: Some(model::DeploymentCircuitBreaker {
                    enable: self.breaker.is_some(),
                    rollback: self.breaker.is_some_and(|breaker| breaker.rollback),
                }),
                strategy: Some("ROLLING".into()),
                ..model::DeploymentConfiguration::default()
            }),
            task_definition: self.deployments.first().map(|it| it.definition.arn.clone()),
            deployments: Some(deployments.collect()),
            events: Some(self.events.iter().cloned().collect()),
            health_check_grace_period_seconds: self.grace_s,
            load_balancers: Some(self.load_balancers.clone()),
            network_configuration: self.network.clone(),
            propagate_tags: Some(self.propagate_tags.clone().unwrap_or_else(|| "NONE".into())),
            enable_e_c_s_managed_tags: Some(self.managed_tags.unwrap_or(false)),
            enable_execute_command: Some(false),
            placement_constraints: Some(Vec::new()),
            placement_strategy: Some(Vec::new()),
            service_registries: Some(Vec::new()),
            ..model::Service::default()
        }
    }
}
