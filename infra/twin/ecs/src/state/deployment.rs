//! One deployment of a service: a task definition on its way to all of the service's tasks.

use std::{sync::Arc, time::Instant};

use winterbaume_ecs::model;

use super::{Definition, Service, epoch_s};
use crate::arn;

/// `rolloutState` in the API reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

pub(crate) struct Deployment {
    /// `ecs-svc/…`
    pub(crate) id: String,
    pub(crate) definition: Arc<Definition>,
    pub(crate) created_at: f64,
    pub(crate) updated_at: f64,
    pub(crate) rollout: Rollout,
    pub(crate) reason: String,
    /// Tasks in a row that failed to become healthy.
    pub(crate) failed_tasks: u32,
    /// Whether it was ever COMPLETED: only then can a later failure roll back to it.
    pub(crate) proven: bool,
    /// A rollback is COMPLETED no sooner.
    pub(crate) not_completed_before: Option<Instant>,
}

impl Deployment {
    pub(crate) fn fresh(definition: Arc<Definition>) -> Self {
        let id = arn::fresh_deployment_id();
        let reason = format!("ECS deployment {id} in progress.");
        let now = epoch_s();
        let rollout = Rollout::InProgress;
        Self {
            id,
            definition,
            created_at: now,
            updated_at: now,
            rollout,
            reason,
            failed_tasks: 0,
            proven: false,
            not_completed_before: None,
        }
    }

    pub(crate) fn turn(&mut self, rollout: Rollout, reason: String) {
        self.rollout = rollout;
        self.reason = reason;
        self.updated_at = epoch_s();
        self.proven |= rollout == Rollout::Completed;
    }

    /// The API's view. `status` is PRIMARY, ACTIVE or INACTIVE; `counts` are running and pending tasks of this deployment.
    pub(crate) fn wire(&self, service: &Service, status: &str, desired: u32, counts: (i32, i32)) -> model::Deployment {
        model::Deployment {
            id: Some(self.id.clone()),
            status: Some(status.to_owned()),
            task_definition: Some(self.definition.arn.clone()),
            desired_count: i32::try_from(desired).ok(),
            running_count: Some(counts.0),
            pending_count: Some(counts.1),
            failed_tasks: i32::try_from(self.failed_tasks).ok(),
            created_at: Some(self.created_at),
            updated_at: Some(self.updated_at),
            launch_type: Some("FARGATE".into()),
            platform_version: Some("1.4.0".into()),
            platform_family: Some("Linux".into()),
            network_configuration: service.network.clone(),
            rollout_state: Some(self.rollout.as_str().to_owned()),
            rollout_state_reason: Some(self.reason.clone()),
            ..model::Deployment::default()
        }
    }
}
