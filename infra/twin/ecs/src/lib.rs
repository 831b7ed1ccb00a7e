//! Amazon ECS on a laptop: a control plane that answers the ECS API, and a data plane that runs each task as a process.
//!
//! Promises: what the API says is what happens. A RUNNING task is a live process with an address of its own, a stopped one has the
//! exit code its process had, a service's counts are counted, a target is registered and drained before its task is stopped, and
//! no process outlives the twin. Wire types come from `winterbaume-ecs`; the behaviour is ours.
//!
//! Refuses, loudly and by name, what it does not imitate: EC2 and EXTERNAL launch types, more than one container per task,
//! volumes, and every action that is not in the table of `actions`.

mod actions;
mod arn;
mod core;
mod credentials;
mod environment;
mod images;
mod life;
mod limits;
mod metadata;
mod place;
mod schedule;
mod state;
mod usage;

use std::{path::PathBuf, pin::Pin, sync::Arc};

use twin_platform::{
    Account, Request, Response, Service, Spawner, Speed,
    seam::{AlarmStates, LogSink, Roles, SecretValues, Targets},
};

pub use credentials::TaskCredentials;
pub use usage::{ServiceUsage, TaskUsage};

/// What the imitated ECS needs to know.
#[derive(Clone)]
pub struct Settings {
    /// Account and region for ARNs and zones.
    pub account: Account,
    /// Divides every wait: health-check interval, grace period, stop time-out, back-off.
    pub speed: Speed,
    /// Starts the tasks' processes.
    pub spawner: Spawner,
    /// The twin's address as the tasks see it, e.g. `http://127.0.0.1:4566`, without a trailing slash.
    pub endpoint: String,
    /// The little registry: `repository:tag` and the program it stands for.
    pub images: Vec<(String, PathBuf)>,
    /// A folder of ours for the tasks' scratch folders; it is made when missing.
    pub scratch: PathBuf,
    /// Says what a task's execution role may do.
    pub roles: Arc<dyn Roles>,
}

/// The imitated ECS.
pub struct Ecs {
    core: Arc<core::Core>,
}

impl Ecs {
    /// Makes an empty ECS (no cluster). Ends what tasks of a killed twin are left in their control groups.
    pub fn new(
        settings: Settings,
        targets: Arc<dyn Targets>,
        logs: Arc<dyn LogSink>,
        secrets: Arc<dyn SecretValues>,
        alarms: Arc<dyn AlarmStates>,
    ) -> Arc<Self> {
        Arc::new(Self { core: core::Core::new(settings, targets, logs, secrets, alarms) })
    }

    /// How CPU and memory limits of tasks are held on this machine, in one line for people.
    pub fn limits(&self) -> &'static str {
        self.core.limiter.description()
    }

    /// The role and task that a task's access key belongs to.
    pub fn credentials_of(&self, access_key_id: &str) -> Option<TaskCredentials> {
        self.core.read(|state| {
            state
                .tasks
                .values()
                .filter_map(|task| task.credentials.as_ref())
                .find(|it| it.access_key_id == access_key_id)
                .cloned()
        })
    }

    /// The credentials of a task, by its ARN.
    pub fn credentials_of_task(&self, task_arn: &str) -> Option<TaskCredentials> {
        self.core.read(|state| state.tasks.get(arn::last_part(task_arn))?.credentials.clone())
    }

    /// What each service wants, has and uses, in the order of cluster and name.
    pub fn usage(&self) -> Vec<ServiceUsage> {
        self.core.read(|state| usage::of_services(state, &self.core.settings.scratch))
    }

    /// The task metadata (version 4) and task-role credential endpoints, with paths relative to `/_ecs`.
    pub fn metadata_router(self: &Arc<Self>) -> axum::Router {
        metadata::router(self.core.clone())
    }

    /// Ends all tasks (SIGTERM, at most two seconds, SIGKILL) without draining and waits for them.
    pub async fn shutdown(&self) {
        self.core.closing.cancel();
        self.core.tracker.close();
        self.core.tracker.wait().await;
    }
}

impl Service for Ecs {
    fn service_name(&self) -> &str {
        "ecs"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://ecs\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(actions::answer(&self.core, request))
    }
}
