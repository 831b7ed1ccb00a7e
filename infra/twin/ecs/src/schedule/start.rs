//! Puts a new task into the store, for a service or for RunTask.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use twin_platform::Account;
use winterbaume_ecs::model::{self, Tag};

use crate::{
    arn,
    credentials::TaskCredentials,
    state::{Container, Definition, DesiredStatus, ServiceKey, State, Status, TargetOf, Task, TaskTimes, epoch_s},
};

/// All that differs between one task and another.
pub(crate) struct Launch {
    pub(crate) cluster: String,
    pub(crate) definition: Arc<Definition>,
    pub(crate) service: Option<ServiceKey>,
    pub(crate) group: String,
    pub(crate) started_by: Option<String>,
    pub(crate) overrides: model::TaskOverride,
    pub(crate) network: Option<model::NetworkConfiguration>,
    pub(crate) targets: Vec<TargetOf>,
    pub(crate) tags: Vec<Tag>,
}

/// Adds the task as PROVISIONING and returns its id; its life begins when the caller says so.
pub(crate) fn launch(account: &Account, state: &mut State, launch: Launch) -> String {
    let id = arn::fresh_id();
    let role = launch.overrides.task_role_arn.as_ref().or(launch.definition.wire.task_role_arn.as_ref());
    let credentials = role.map(|role| TaskCredentials::fresh(account, role, &id));
    let subnets = launch.network.and_then(|it| it.awsvpc_configuration).map(|it| it.subnets).unwrap_or_default();
    let zone = emptier_zone(account, state, &launch.group);
    let zone_index = usize::from(zone != account.availability_zone(0));
    let task = Task {
        id: id.clone(),
        sequence: state.next_sequence(),
        cluster: launch.cluster,
        definition: launch.definition,
        service: launch.service,
        group: launch.group,
        started_by: launch.started_by,
        overrides: with_container_names(launch.overrides),
        tags: launch.tags,
        subnet: subnets.get(zone_index % subnets.len().max(1)).cloned().unwrap_or_default(),
        zone,
        attachment_id: uuid::Uuid::new_v4().to_string(),
        targets: launch.targets,
        credentials,
        status: Status::Provisioning,
        desired: DesiredStatus::Running,
        times: TaskTimes { created: epoch_s(), ..TaskTimes::default() },
        place: None,
        container: Container { id: uuid::Uuid::new_v4().to_string(), health: "UNKNOWN", ..Container::default() },
        stop: None,
        stop_signal: CancellationToken::new(),
        running_since: None,
        stopped: None,
        ever_good: false,
        told: Vec::new(),
        accounted: false,
    };
    state.tasks.insert(id.clone(), task);
    id
}

/// Tasks of one group are spread over two zones.
fn emptier_zone(account: &Account, state: &State, group: &str) -> String {
    let zones = [0, 1].map(|index| account.availability_zone(index));
    let live = |zone: &String| {
        let here = |task: &&Task| task.group == group && task.zone == *zone && task.desired == DesiredStatus::Running;
        state.tasks.values().filter(here).count()
    };
    let [first, second] = zones;
    if live(&second) < live(&first) { second } else { first }
}

/// DescribeTasks always shows a list, even an empty one.
fn with_container_names(mut overrides: model::TaskOverride) -> model::TaskOverride {
    overrides.container_overrides.get_or_insert_with(Vec::new);
    overrides.inference_accelerator_overrides.get_or_insert_with(Vec::new);
    overrides
}
