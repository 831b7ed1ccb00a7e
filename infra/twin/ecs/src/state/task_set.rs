//! A task set of a service whose deployments are controlled from outside: by CodeDeploy, or by whoever calls the API.

use twin_platform::Account;
use winterbaume_ecs::model::{self, Tag};

use super::{Cohort, Service, epoch_s};
use crate::arn;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskSetStatus {
    Primary,
    Active,
    /// Deleted; gone when its last task has stopped.
    Draining,
}

impl TaskSetStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
        }
    }
}

pub(crate) struct TaskSet {
    pub(crate) cohort: Cohort,
    pub(crate) status: TaskSetStatus,
    /// Per cent of the service's desired count.
    pub(crate) scale: f64,
    pub(crate) external_id: Option<String>,
    pub(crate) client_token: Option<String>,
    pub(crate) tags: Vec<Tag>,
    /// `STEADY_STATE` rather than `STABILIZING`, and since when.
    pub(crate) steady: bool,
    pub(crate) steady_at: f64,
}

impl TaskSet {
    pub(crate) fn fresh(cohort: Cohort, status: TaskSetStatus) -> Self {
        let steady_at = epoch_s();
        let (external_id, client_token) = (None, None);
        Self { cohort, status, scale: 100.0, external_id, client_token, tags: Vec::new(), steady: false, steady_at }
    }

    /// `computedDesiredCount`: its share of what the service wants, rounded up.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a u32, never negative")]
    pub(crate) fn desired(&self, service_desired: u32) -> u32 {
        match self.status {
            TaskSetStatus::Draining => 0,
            _ => (f64::from(service_desired) * self.scale / 100.0).ceil() as u32,
        }
    }

    /// Notes whether the tasks are as wanted. Answers whether that is news.
    pub(crate) fn stabilise(&mut self, steady: bool) -> bool {
        let news = self.steady != steady;
        if news {
            (self.steady, self.steady_at) = (steady, epoch_s());
        }
        news
    }

    /// `arn:aws:ecs:…:task-set/<cluster>/<service>/<id>`.
    pub(crate) fn arn(&self, account: &Account, service: &Service) -> String {
        arn::task_set(account, &service.key.cluster, &service.key.name, &self.cohort.id)
    }

    /// The API's view; `counts` are running and pending tasks.
    pub(crate) fn wire(&self, account: &Account, service: &Service, counts: (i32, i32)) -> model::TaskSet {
        let by_code_deploy = service.controller == super::Controller::CodeDeploy;
        model::TaskSet {
            id: Some(self.cohort.id.clone()),
            task_set_arn: Some(self.arn(account, service)),
            service_arn: Some(arn::service(account, &service.key.cluster, &service.key.name)),
            cluster_arn: Some(arn::cluster(account, &service.key.cluster)),
            started_by: by_code_deploy.then(|| "CODE_DEPLOY".to_owned()),
            external_id: self.external_id.clone(),
            status: Some(self.status.as_str().to_owned()),
            task_definition: Some(self.cohort.make.definition.arn.clone()),
            computed_desired_count: i32::try_from(self.desired(service.desired)).ok(),
            running_count: Some(counts.0),
            pending_count: Some(counts.1),
            created_at: Some(self.cohort.created_at),
            updated_at: Some(self.cohort.updated_at),
            launch_type: Some("FARGATE".into()),
            platform_version: Some("1.4.0".into()),
            platform_family: Some("Linux".into()),
            network_configuration: self.cohort.make.network.clone(),
            load_balancers: Some(self.cohort.make.load_balancers.clone()),
            service_registries: Some(Vec::new()),
            scale: Some(model::Scale { unit: Some("PERCENT".into()), value: Some(self.scale) }),
            stability_status: Some(if self.steady { "STEADY_STATE" } else { "STABILIZING" }.to_owned()),
            stability_status_at: Some(self.steady_at),
            ..model::TaskSet::default()
        }
    }
}
