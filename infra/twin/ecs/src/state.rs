//! The store: clusters, task definitions, services and tasks, as plain data.

mod cohort;
mod configuration;
mod definition;
mod deployment;
mod happening;
mod service;
mod service_deployment;
mod service_revision;
mod task;
mod task_set;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use twin_platform::AwsError;
use winterbaume_ecs::model::{self, Tag};

pub(crate) use cohort::{Cohort, Make, Route, Sides};
pub(crate) use configuration::{Alarms, Breaker, Configuration, Strategy};
pub(crate) use definition::Definition;
pub(crate) use deployment::{Deployment, Rollout};
pub(crate) use happening::{Happening, Note};
pub(crate) use service::{Controller, Service, ServiceKey, ServiceStatus, TargetOf};
pub(crate) use service_deployment::{Course, Rollback, ServiceDeployment, Stage};
pub(crate) use service_revision::ServiceRevision;
pub(crate) use task::{Container, DesiredStatus, Order, Status, Stop, Task, TaskTimes};
pub(crate) use task_set::{TaskSet, TaskSetStatus};

use crate::arn;

/// How long a stopped task can still be described ("Stopped tasks" in the ECS developer guide: at least one hour).
const STOPPED_TASKS_KEPT: Duration = Duration::from_secs(3600);
/// A crash loop must not fill the memory: beyond this many the oldest stopped tasks go early.
const STOPPED_TASKS_MAX: usize = 1000;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) clusters: BTreeMap<String, Cluster>,
    /// All revisions of each family, oldest first.
    pub(crate) definitions: BTreeMap<String, Vec<Arc<Definition>>>,
    pub(crate) services: BTreeMap<ServiceKey, Service>,
    pub(crate) tasks: BTreeMap<String, Task>,
    /// Counts tasks, so that "oldest" is well defined.
    sequence: u64,
}

pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) settings: Option<Vec<model::ClusterSetting>>,
    pub(crate) capacity_providers: Option<Vec<String>>,
    pub(crate) tags: Vec<Tag>,
}

impl State {
    /// The name of an active cluster given by name, ARN or not at all (`default`).
    pub(crate) fn cluster(&self, given: Option<&str>) -> Result<String, AwsError> {
        let name = arn::last_part(given.filter(|given| !given.is_empty()).unwrap_or("default"));
        match self.clusters.get(name) {
            Some(cluster) if cluster.active => Ok(name.to_owned()),
            Some(_) => Err(AwsError::client("ClusterNotFoundException", "The referenced cluster was inactive.")),
            None => Err(AwsError::client("ClusterNotFoundException", "Cluster not found.")),
        }
    }

    /// A task definition by family (its newest active revision), family:revision or ARN.
    pub(crate) fn definition(&self, given: &str) -> Option<&Arc<Definition>> {
        let (family, revision) = arn::family_and_revision(given)?;
        let revisions = self.definitions.get(family)?;
        match revision {
            Some(revision) => revisions.iter().find(|it| it.revision == revision),
            None => revisions.iter().rev().find(|it| it.active),
        }
    }

    /// The next task's place in the order of creation.
    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// The tasks of one service, oldest first.
    pub(crate) fn tasks_of<'a>(&'a self, key: &'a ServiceKey) -> impl Iterator<Item = &'a Task> {
        let mut tasks: Vec<&Task> =
            self.tasks.values().filter(move |task| task.service.as_ref() == Some(key)).collect();
        tasks.sort_by_key(|task| task.sequence);
        tasks.into_iter()
    }

    /// Forgets stopped tasks that are old or too many.
    pub(crate) fn forget_stopped(&mut self) {
        let now = Instant::now();
        self.tasks.retain(|_, task| task.stopped.is_none_or(|at| now.duration_since(at) < STOPPED_TASKS_KEPT));
        let mut stopped: Vec<(Instant, String)> =
            self.tasks.values().filter_map(|task| Some((task.stopped?, task.id.clone()))).collect();
        stopped.sort();
        let surplus = stopped.len().saturating_sub(STOPPED_TASKS_MAX);
        for (_, id) in stopped.into_iter().take(surplus) {
            self.tasks.remove(&id);
        }
    }
}

/// Now, in seconds since the epoch with milliseconds, as the API gives times.
pub(crate) fn epoch_s() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1000.0).floor() / 1000.0
}
