//! One deployment of a service: a task definition on its way to all of the service's tasks.

use std::time::Instant;

use winterbaume_ecs::model;

use super::{Cohort, cohort::Make, epoch_s};

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
    pub(crate) cohort: Cohort,
    pub(crate) rollout: Rollout,
    pub(crate) reason: String,
    /// Whether it was ever COMPLETED: only then can a later failure roll back to it.
    pub(crate) proven: bool,
    /// Whether it is to have tasks while revisions stand side by side.
    pub(crate) wanted: bool,
    /// A rollback is COMPLETED no sooner.
    pub(crate) not_completed_before: Option<Instant>,
}

impl Deployment {
    pub(crate) fn fresh(make: Make) -> Self {
        let cohort = Cohort::fresh(make);
        let reason = format!("ECS deployment {} in progress.", cohort.id);
        Self { cohort, rollout: Rollout::InProgress, reason, proven: false, wanted: true, not_completed_before: None }
    }

    /// Tasks that were there before this service was deployed by ECS: there is nothing left to do.
    pub(crate) fn adopted(cohort: Cohort) -> Self {
        let reason = format!("ECS deployment {} completed.", cohort.id);
        Self { cohort, rollout: Rollout::Completed, reason, proven: true, wanted: true, not_completed_before: None }
    }

    pub(crate) fn turn(&mut self, rollout: Rollout, reason: String) {
        self.rollout = rollout;
        self.reason = reason;
        self.cohort.updated_at = epoch_s();
        self.proven |= rollout == Rollout::Completed;
    }

    /// The API's view. `status` is PRIMARY, ACTIVE or INACTIVE; `counts` are running and pending tasks of this deployment.
    pub(crate) fn wire(&self, status: &str, desired: u32, counts: (i32, i32)) -> model::Deployment {
        let cohort = &self.cohort;
        model::Deployment {
            id: Some(cohort.id.clone()),
            status: Some(status.to_owned()),
            task_definition: Some(cohort.make.definition.arn.clone()),
            desired_count: i32::try_from(desired).ok(),
            running_count: Some(counts.0),
            pending_count: Some(counts.1),
            failed_tasks: i32::try_from(cohort.failed_tasks).ok(),
            created_at: Some(cohort.created_at),
            updated_at: Some(cohort.updated_at),
            launch_type: Some("FARGATE".into()),
            platform_version: Some("1.4.0".into()),
            platform_family: Some("Linux".into()),
            network_configuration: cohort.make.network.clone(),
            rollout_state: Some(self.rollout.as_str().to_owned()),
            rollout_state_reason: Some(self.reason.clone()),
            ..model::Deployment::default()
        }
    }
}
