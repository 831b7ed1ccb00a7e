//! One service deployment: the way of a service from its revisions to a new one, as it is told afterwards.
//!
//! `DescribeServices` shows the deployments that have tasks; this record stays when they are gone.

use std::time::Instant;

use twin_platform::Account;
use winterbaume_ecs::model;

use super::{Configuration, Service, ServiceKey, Strategy, epoch_s};
use crate::arn;

/// `status` in the API reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Pending,
    InProgress,
    Successful,
    StopRequested,
    Stopped,
    RollbackRequested,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

impl Course {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::StopRequested => "STOP_REQUESTED",
            Self::Stopped => "STOPPED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        }
    }

    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Successful | Self::Stopped | Self::RollbackSuccessful | Self::RollbackFailed)
    }
}

/// `lifecycleStage`: where a deployment with two revisions side by side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    ReconcileService,
    PreScaleUp,
    ScaleUp,
    PostScaleUp,
    TestTrafficShift,
    PostTestTrafficShift,
    ProductionTrafficShift,
    PostProductionTrafficShift,
    BakeTime,
    CleanUp,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ReconcileService => "RECONCILE_SERVICE",
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::ScaleUp => "SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::TestTrafficShift => "TEST_TRAFFIC_SHIFT",
            Self::PostTestTrafficShift => "POST_TEST_TRAFFIC_SHIFT",
            Self::ProductionTrafficShift => "PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTrafficShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
            Self::BakeTime => "BAKE_TIME",
            Self::CleanUp => "CLEAN_UP",
        }
    }
}

/// Where a failed deployment goes back to.
#[derive(Clone, Debug)]
pub(crate) struct Rollback {
    pub(crate) reason: String,
    pub(crate) started_at: f64,
    /// Id of the cohort that gets everything back.
    pub(crate) to: String,
}

pub(crate) struct ServiceDeployment {
    pub(crate) id: String,
    /// Id of the cohort that is being deployed.
    pub(crate) target: String,
    /// Ids of the cohorts that there were.
    pub(crate) sources: Vec<String>,
    pub(crate) course: Course,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: f64,
    pub(crate) started_at: Option<f64>,
    pub(crate) finished_at: Option<f64>,
    pub(crate) stopped_at: Option<f64>,
    pub(crate) updated_at: f64,
    pub(crate) configuration: Configuration,
    pub(crate) rollback: Option<Rollback>,
    /// Failed tasks when it was last looked at, and how many are too many.
    pub(crate) failed_tasks: u32,
    pub(crate) threshold: u32,
    pub(crate) breaker_tripped: bool,
    /// An alarm that was in ALARM before the deployment says nothing about it: none is watched then.
    pub(crate) alarms_ignored: bool,
    pub(crate) alarms_triggered: Vec<String>,
    /// Only with revisions side by side.
    pub(crate) stage: Option<Stage>,
    /// Since when the stage, or the step within it, lasts.
    pub(crate) since: Instant,
    /// Since when a rolling deployment is as wanted and only its alarms are watched.
    pub(crate) watched_since: Option<Instant>,
    /// Steps of production traffic that were made.
    pub(crate) steps: u32,
    /// Per cent of test and of production traffic that goes to the target.
    pub(crate) test_share: f64,
    pub(crate) production_share: f64,
}

impl ServiceDeployment {
    pub(crate) fn fresh(target: String, sources: Vec<String>, configuration: Configuration) -> Self {
        let now = epoch_s();
        let stage = match configuration.strategy {
            Strategy::Rolling => None,
            _ => Some(Stage::ReconcileService),
        };
        Self {
            id: arn::fresh_id(),
            target,
            sources,
            course: Course::Pending,
            reason: None,
            created_at: now,
            started_at: None,
            finished_at: None,
            stopped_at: None,
            updated_at: now,
            configuration,
            rollback: None,
            failed_tasks: 0,
            threshold: 0,
            breaker_tripped: false,
            alarms_ignored: false,
            alarms_triggered: Vec::new(),
            stage,
            since: Instant::now(),
            watched_since: None,
            steps: 0,
            test_share: 0.0,
            production_share: 0.0,
        }
    }

    /// Whether old and new stand side by side with target groups of their own.
    pub(crate) fn side_by_side(&self) -> bool {
        self.stage.is_some()
    }

    pub(crate) fn turn(&mut self, course: Course, reason: Option<String>) {
        let now = epoch_s();
        self.course = course;
        self.updated_at = now;
        self.reason = reason.or(self.reason.take());
        if course.is_over() {
            self.finished_at = Some(now);
        }
        if course == Course::Stopped {
            self.stopped_at = Some(now);
        }
    }

    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = Some(stage);
        self.since = Instant::now();
        self.updated_at = epoch_s();
    }

    pub(crate) fn arn(&self, account: &Account, key: &ServiceKey) -> String {
        arn::service_deployment(account, &key.cluster, &key.name, &self.id)
    }

    pub(crate) fn brief(&self, account: &Account, key: &ServiceKey) -> model::ServiceDeploymentBrief {
        model::ServiceDeploymentBrief {
            service_deployment_arn: Some(self.arn(account, key)),
            service_arn: Some(arn::service(account, &key.cluster, &key.name)),
            cluster_arn: Some(arn::cluster(account, &key.cluster)),
            created_at: Some(self.created_at),
            started_at: self.started_at,
            finished_at: self.finished_at,
            target_service_revision_arn: Some(arn::service_revision(account, &key.cluster, &key.name, &self.target)),
            status: Some(self.course.as_str().to_owned()),
            status_reason: self.reason.clone(),
        }
    }

    /// The API's view. `counts` answers a cohort's wanted, running and pending tasks.
    pub(crate) fn wire(
        &self,
        account: &Account,
        service: &Service,
        counts: impl Fn(&str) -> (i32, i32, i32),
    ) -> model::ServiceDeployment {
        let key = &service.key;
        let revision = |id: &str| arn::service_revision(account, &key.cluster, &key.name, id);
        let summary = |id: &str, target: bool| {
            let (wanted, running, pending) = counts(id);
            let share =
                |of_target: f64| self.side_by_side().then_some(if target { of_target } else { 100.0 - of_target });
            model::ServiceRevisionSummary {
                arn: Some(revision(id)),
                requested_task_count: Some(wanted),
                running_task_count: Some(running),
                pending_task_count: Some(pending),
                requested_test_traffic_weight: share(self.test_share),
                requested_production_traffic_weight: share(self.production_share),
            }
        };
        let monitor = |enabled: bool, triggered: bool| {
            Some(
                match (enabled, triggered, self.course.is_over()) {
                    (false, ..) => "DISABLED",
                    (_, true, _) => "TRIGGERED",
                    (.., true) => "MONITORING_COMPLETE",
                    _ => "MONITORING",
                }
                .to_owned(),
            )
        };
        let watched = self.configuration.watched();
        model::ServiceDeployment {
            service_deployment_arn: Some(self.arn(account, key)),
            service_arn: Some(arn::service(account, &key.cluster, &key.name)),
            cluster_arn: Some(arn::cluster(account, &key.cluster)),
            created_at: Some(self.created_at),
            started_at: self.started_at,
            finished_at: self.finished_at,
            stopped_at: self.stopped_at,
            updated_at: Some(self.updated_at),
            source_service_revisions: Some(self.sources.iter().map(|id| summary(id, false)).collect()),
            target_service_revision: Some(summary(&self.target, true)),
            status: Some(self.course.as_str().to_owned()),
            status_reason: self.reason.clone(),
            lifecycle_stage: self.stage.map(|stage| stage.as_str().to_owned()),
            deployment_configuration: Some(self.configuration.wire()),
            rollback: self.rollback.as_ref().map(|it| model::Rollback {
                reason: Some(it.reason.clone()),
                started_at: Some(it.started_at),
                service_revision_arn: Some(revision(&it.to)),
            }),
            deployment_circuit_breaker: Some(model::ServiceDeploymentCircuitBreaker {
                status: monitor(self.configuration.breaker.is_some(), self.breaker_tripped),
                failure_count: i32::try_from(self.failed_tasks).ok(),
                threshold: i32::try_from(self.threshold).ok(),
            }),
            alarms: Some(model::ServiceDeploymentAlarms {
                status: monitor(!watched.is_empty() && !self.alarms_ignored, !self.alarms_triggered.is_empty()),
                alarm_names: Some(watched.to_vec()),
                triggered_alarm_names: Some(self.alarms_triggered.clone()),
            }),
        }
    }
}
