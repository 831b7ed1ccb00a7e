//! One deployment: what the API says about it, and what has been asked of it meanwhile.

use twin_platform::Account;
use winterbaume_codedeploy::model::{
    DeploymentInfo, DeploymentOverview, DeploymentTarget, Diagnostics, ECSTarget, ECSTaskSet, ErrorInformation,
    LifecycleEvent,
};

use crate::{core::now_s, neighbours::Place};

/// `DeploymentStatus` in the API reference, as far as ECS deployments have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    InProgress,
    Ready,
    Succeeded,
    Failed,
    Stopped,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::InProgress => "InProgress",
            Self::Ready => "Ready",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Stopped)
    }
}

/// What callers have asked of a deployment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// StopDeployment, and whether it wants a rollback.
    pub(crate) stop: Option<bool>,
    /// ContinueDeployment, for each of its two waits.
    pub(crate) end_ready_wait: bool,
    pub(crate) end_termination_wait: bool,
}

/// The wait in which a deployment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Ready,
    Termination,
}

pub(crate) struct Deployment {
    info: DeploymentInfo,
    status: Status,
    place: Place,
    events: Vec<LifecycleEvent>,
    updated_at: f64,
    pub(crate) task_sets: Vec<ECSTaskSet>,
    pub(crate) asked: Asked,
    pub(crate) wait: Option<Wait>,
}

impl Deployment {
    /// One that is about to start. `info` holds what is known of it; `test` says whether there is a test listener.
    pub(crate) fn new(info: DeploymentInfo, place: Place, test: bool) -> Self {
        let names: &[&str] = if test {
            &[
                "BeforeInstall",
                "Install",
                "AfterInstall",
                "AllowTestTraffic",
                "AfterAllowTestTraffic",
                "BeforeAllowTraffic",
                "AllowTraffic",
                "AfterAllowTraffic",
            ]
        } else {
            &["BeforeInstall", "Install", "AfterInstall", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"]
        };
        let pending = |name: &&str| LifecycleEvent {
            lifecycle_event_name: Some((*name).to_owned()),
            status: Some("Pending".into()),
            ..LifecycleEvent::default()
        };
        let now = now_s();
        let info = DeploymentInfo { create_time: Some(now), ..info };
        Self {
            info,
            status: Status::Created,
            place,
            events: names.iter().map(pending).collect(),
            updated_at: now,
            task_sets: Vec::new(),
            asked: Asked::default(),
            wait: None,
        }
    }

    pub(crate) fn id(&self) -> &str {
        self.info.deployment_id.as_deref().unwrap_or_default()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    pub(crate) fn is_of(&self, application: &str, group: &str) -> bool {
        self.info.application_name.as_deref() == Some(application)
            && self.info.deployment_group_name.as_deref() == Some(group)
    }

    /// What the API says, without the status, which only [`Self::enter`] and [`Self::end`] change.
    pub(crate) fn info_mut(&mut self) -> &mut DeploymentInfo {
        &mut self.info
    }

    /// What the API says of it.
    pub(crate) fn info(&self) -> DeploymentInfo {
        let count = |status| i64::from(self.status == status);
        let overview = DeploymentOverview {
            pending: Some(count(Status::Created)),
            in_progress: Some(count(Status::InProgress)),
            ready: Some(count(Status::Ready)),
            succeeded: Some(count(Status::Succeeded)),
            failed: Some(count(Status::Failed)),
            skipped: Some(count(Status::Stopped)),
        };
        DeploymentInfo {
            status: Some(self.status.as_str().to_owned()),
            deployment_overview: Some(overview),
            ..self.info.clone()
        }
    }

    /// Goes on in another status.
    pub(crate) fn enter(&mut self, status: Status) {
        self.status = status;
        self.updated_at = now_s();
        self.info.start_time.get_or_insert(self.updated_at);
    }

    /// Ends it. What has not begun is skipped; what is under way has failed.
    pub(crate) fn end(&mut self, status: Status, error: Option<ErrorInformation>) {
        let now = now_s();
        for event in &mut self.events {
            match event.status.as_deref() {
                Some("Pending") => event.status = Some("Skipped".into()),
                Some("InProgress") => {
                    event.status = Some("Failed".into());
                    event.end_time = Some(now);
                    event.diagnostics = Some(Diagnostics {
                        error_code: Some("UnknownError".into()),
                        message: error.as_ref().and_then(|error| error.message.clone()),
                        log_tail: Some(String::new()),
                        script_name: Some(String::new()),
                    });
                }
                _ => {}
            }
        }
        self.enter(status);
        self.wait = None;
        self.info.complete_time = Some(now);
        self.info.error_information = error;
    }

    /// Begins a lifecycle event.
    pub(crate) fn begin(&mut self, name: &str) {
        self.event(name, |event, now| {
            event.status = Some("InProgress".into());
            event.start_time = Some(now);
        });
    }

    /// Ends a lifecycle event well.
    pub(crate) fn pass(&mut self, name: &str) {
        self.event(name, |event, now| {
            event.status = Some("Succeeded".into());
            event.end_time = Some(now);
        });
    }

    fn event(&mut self, name: &str, edit: impl FnOnce(&mut LifecycleEvent, f64)) {
        self.updated_at = now_s();
        if let Some(event) = self.events.iter_mut().find(|it| it.lifecycle_event_name.as_deref() == Some(name)) {
            edit(event, self.updated_at);
        }
    }

    /// `cluster:service`.
    pub(crate) fn target_id(&self) -> String {
        format!("{}:{}", self.place.cluster, self.place.service)
    }

    /// Its one target: the ECS service.
    pub(crate) fn target(&self, account: &Account) -> DeploymentTarget {
        let status = match self.status {
            Status::Created => "Pending",
            Status::Stopped => "Skipped",
            other => other.as_str(),
        };
        let resource = format!("service/{}/{}", self.place.cluster, self.place.service);
        let target = ECSTarget {
            deployment_id: self.info.deployment_id.clone(),
            target_id: Some(self.target_id()),
            target_arn: Some(account.arn("ecs", &resource)),
            last_updated_at: Some(self.updated_at),
            lifecycle_events: Some(self.events.clone()),
            status: Some(status.to_owned()),
            task_sets_info: Some(self.task_sets.clone()),
        };
        DeploymentTarget {
            deployment_target_type: Some("ECSTarget".into()),
            ecs_target: Some(target),
            ..DeploymentTarget::default()
        }
    }
}

/// `d-` and nine capital letters or digits.
pub(crate) fn fresh_id() -> String {
    let letter = |_| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[fastrand::usize(..36)]);
    format!("d-{}", (0..9).map(letter).collect::<String>())
}
