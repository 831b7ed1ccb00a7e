//! One service: what is wanted, the deployments that get there, and the events that tell of it.

use std::collections::VecDeque;

use twin_platform::Account;
use winterbaume_ecs::model::{self, Tag};

use super::{
    Cohort, Configuration, Course, Definition, Deployment, Note, ServiceDeployment, ServiceRevision, State, Status,
    TaskSet, TaskSetStatus, epoch_s, happening,
};
use crate::arn;

/// ECS keeps the newest hundred events of a service.
const EVENTS_MAX: usize = 100;
/// How many service deployments and revisions of a service can be described. (AWS keeps those of the last 90 days.)
const HISTORY_MAX: usize = 100;

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

/// `deploymentController`: who decides which tasks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    /// ECS itself, by deployments.
    Ecs,
    /// CodeDeploy, by task sets.
    CodeDeploy,
    /// Whoever calls the API, by task sets.
    External,
}

impl Controller {
    pub(crate) const ALL: [Self; 3] = [Self::Ecs, Self::CodeDeploy, Self::External];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ecs => "ECS",
            Self::CodeDeploy => "CODE_DEPLOY",
            Self::External => "EXTERNAL",
        }
    }
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
    pub(crate) controller: Controller,
    pub(crate) created_at: f64,
    pub(crate) desired: u32,
    pub(crate) configuration: Configuration,
    /// Only services with load balancers have one.
    pub(crate) grace_s: Option<i32>,
    /// As last given; what tasks are registered with is their cohort's.
    pub(crate) load_balancers: Vec<model::LoadBalancer>,
    pub(crate) network: Option<model::NetworkConfiguration>,
    pub(crate) propagate_tags: Option<String>,
    pub(crate) managed_tags: Option<bool>,
    pub(crate) tags: Vec<Tag>,
    /// The first is PRIMARY; the others still have tasks.
    ///
    /// Only a service with the controller ECS has any, and only one with another controller has task sets.
    pub(crate) deployments: Vec<Deployment>,
    /// Oldest first. At most one is PRIMARY.
    pub(crate) task_sets: Vec<TaskSet>,
    /// Service deployments, oldest first.
    pub(crate) history: Vec<ServiceDeployment>,
    /// Oldest first.
    pub(crate) revisions: Vec<ServiceRevision>,
    /// What happened to tasks since the last look.
    pub(crate) notes: Vec<Note>,
    /// Newest first.
    pub(crate) events: VecDeque<model::ServiceEvent>,
    /// Whether the last look found it steady.
    pub(crate) steady: bool,
}

impl Service {
    /// Tells an event, with the service's name in front as ECS does.
    pub(crate) fn tell(&mut self, message: &str) {
        self.note(format!("(service {}) {message}", self.key.name));
    }

    /// Tells an event of one cohort's tasks. ECS names a task set, but not a deployment.
    pub(crate) fn tell_of(&mut self, cohort: &str, message: &str) {
        if self.task_sets.iter().any(|set| set.cohort.id == cohort) {
            self.note(format!("(service {}, taskSet {cohort}) {message}", self.key.name));
        } else {
            self.tell(message);
        }
    }

    fn note(&mut self, message: String) {
        self.events.push_front(model::ServiceEvent {
            id: Some(uuid::Uuid::new_v4().to_string()),
            created_at: Some(epoch_s()),
            message: Some(message),
        });
        self.events.truncate(EVENTS_MAX);
    }

    /// Begins a service deployment; one that is under way is over with that.
    pub(crate) fn begin(&mut self, deployment: Deployment) {
        if let Some(old) = self.current_mut() {
            old.turn(Course::Stopped, Some("A new service deployment was started.".into()));
        }
        let sources = self.deployments.iter().filter(|it| it.wanted).map(|it| it.cohort.id.clone()).collect();
        let target = deployment.cohort.id.clone();
        self.revisions.push(ServiceRevision::of(&deployment.cohort));
        self.history.push(ServiceDeployment::fresh(target, sources, self.configuration.clone()));
        if self.history.len() > HISTORY_MAX {
            self.history.remove(0);
        }
        if self.revisions.len() > HISTORY_MAX {
            self.revisions.remove(0);
        }
        self.deploy(deployment);
    }

    /// Makes a deployment PRIMARY in front of the others.
    pub(crate) fn deploy(&mut self, mut deployment: Deployment) {
        deployment.cohort.forgive();
        self.deployments.insert(0, deployment);
        self.steady = false;
    }

    /// The service deployment under way.
    pub(crate) fn current(&self) -> Option<&ServiceDeployment> {
        self.history.last().filter(|it| !it.course.is_over())
    }

    pub(crate) fn current_mut(&mut self) -> Option<&mut ServiceDeployment> {
        self.history.last_mut().filter(|it| !it.course.is_over())
    }

    /// Whether old and new revisions stand side by side now, each with its own target group.
    pub(crate) fn side_by_side(&self) -> bool {
        self.current().is_some_and(ServiceDeployment::side_by_side)
    }

    /// The deployment that served last and can take everything back: the newest that was COMPLETED.
    pub(crate) fn proven(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|it| it.proven)
    }

    /// Tells what happened to tasks since the last look. Answers whether anything did.
    pub(crate) fn tell_notes(&mut self) -> bool {
        let events = happening::events(std::mem::take(&mut self.notes));
        let any = !events.is_empty();
        for (cohort, message) in events {
            self.tell_of(&cohort, &message);
        }
        any
    }

    /// The deployment or task set whose tasks have this id as `startedBy`.
    pub(crate) fn cohort_mut(&mut self, id: &str) -> Option<&mut Cohort> {
        let deployments = self.deployments.iter_mut().map(|it| &mut it.cohort);
        deployments.chain(self.task_sets.iter_mut().map(|it| &mut it.cohort)).find(|it| it.id == id)
    }

    pub(crate) fn primary_set(&self) -> Option<&TaskSet> {
        self.task_sets.iter().find(|set| set.status == TaskSetStatus::Primary)
    }

    /// Makes one task set PRIMARY. What it is made of becomes the service's own, as `UpdateServicePrimaryTaskSet` promises.
    pub(crate) fn promote(&mut self, id: &str) {
        for set in &mut self.task_sets {
            match set.status {
                TaskSetStatus::Draining => continue,
                _ if set.cohort.id == id => {
                    set.status = TaskSetStatus::Primary;
                    self.load_balancers.clone_from(&set.cohort.make.load_balancers);
                    self.network.clone_from(&set.cohort.make.network);
                }
                TaskSetStatus::Primary => set.status = TaskSetStatus::Active,
                TaskSetStatus::Active => continue,
            }
            set.cohort.updated_at = epoch_s();
        }
    }

    /// The revision that the service is said to run.
    pub(crate) fn definition(&self) -> Option<&std::sync::Arc<Definition>> {
        let deployment = self.deployments.first().map(|it| &it.cohort);
        let cohort = deployment.or_else(|| self.primary_set().map(|it| &it.cohort));
        cohort.map(|it| &it.make.definition)
    }

    /// How many tasks the deployment at this place is to have.
    pub(crate) fn wanted(&self, index: usize) -> u32 {
        let has_all = match self.side_by_side() {
            true => self.deployments.get(index).is_some_and(|it| it.wanted),
            false => index == 0,
        };
        if has_all { self.desired } else { 0 }
    }

    /// Running and pending tasks, of one cohort or of all.
    pub(crate) fn counts(&self, state: &State, cohort: Option<&str>) -> (i32, i32) {
        let mut counts = (0, 0);
        for task in state.tasks_of(&self.key) {
            if cohort.is_some_and(|id| task.started_by.as_deref() != Some(id)) {
                continue;
            }
            match task.status {
                Status::Running => counts.0 += 1,
                Status::Provisioning | Status::Pending | Status::Activating => counts.1 += 1,
                _ => {}
            }
        }
        counts
    }

    /// The API's view.
    pub(crate) fn wire(&self, account: &Account, state: &State) -> model::Service {
        let deployments = self.deployments.iter().enumerate().map(|(index, deployment)| {
            let counts = self.counts(state, Some(&deployment.cohort.id));
            let status = if self.status == ServiceStatus::Inactive {
                "INACTIVE"
            } else if index == 0 {
                "PRIMARY"
            } else {
                "ACTIVE"
            };
            deployment.wire(status, self.wanted(index), counts)
        });
        let revisions = self.deployments.iter().enumerate().map(|(index, deployment)| {
            let id = &deployment.cohort.id;
            let (running, pending) = self.counts(state, Some(id));
            model::ServiceCurrentRevisionSummary {
                arn: Some(arn::service_revision(account, &self.key.cluster, &self.key.name, id)),
                requested_task_count: i32::try_from(self.wanted(index)).ok(),
                running_task_count: Some(running),
                pending_task_count: Some(pending),
            }
        });
        let task_sets = self.task_sets.iter();
        let task_sets = task_sets.map(|set| set.wire(account, self, self.counts(state, Some(&set.cohort.id))));
        let (running, pending) = self.counts(state, None);
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
            deployment_controller: Some(model::DeploymentController { r#type: self.controller.as_str().to_owned() }),
            deployment_configuration: Some(model::DeploymentConfiguration {
                // Strategies are ECS's own.
                strategy: (self.controller == Controller::Ecs).then(|| self.configuration.strategy.as_str().to_owned()),
                ..self.configuration.wire()
            }),
            current_service_deployment: self.current().map(|it| it.arn(account, &self.key)),
            current_service_revisions: (self.controller == Controller::Ecs).then(|| revisions.collect()),
            task_definition: self.definition().map(|it| it.arn.clone()),
            deployments: Some(deployments.collect()),
            task_sets: (self.controller != Controller::Ecs).then(|| task_sets.collect()),
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
