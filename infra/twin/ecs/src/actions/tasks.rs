//! RunTask, StopTask, DescribeTasks, ListTasks.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{
    DescribeTasksRequest, DescribeTasksResponse, ListTasksRequest, ListTasksResponse, RunTaskRequest, RunTaskResponse,
    StopTaskRequest, StopTaskResponse,
};

use super::{
    input::{client, invalid, missing, page, refuse, some},
    service_input::{launch_type, network},
};
use crate::{
    arn,
    core::Core,
    life,
    schedule::{Launch, launch},
    state::{Definition, State, Status, Task},
};

pub(super) fn run(core: &Arc<Core>, input: RunTaskRequest) -> Result<RunTaskResponse, AwsError> {
    let count = usize::try_from(input.count.unwrap_or(1)).ok().filter(|count| (1..=10).contains(count));
    let count = count.ok_or_else(|| invalid("count should be between 1 and 10"))?;
    launch_type(input.launch_type.as_deref(), input.capacity_provider_strategy.as_ref())?;
    network(input.network_configuration.as_ref())?;
    refuse(input.enable_execute_command == Some(true), "ECS Exec (enableExecuteCommand)")?;
    refuse(some(input.placement_constraints.as_ref()) || some(input.placement_strategy.as_ref()), "placement")?;
    refuse(some(input.volume_configurations.as_ref()), "volume configurations")?;
    let account = &core.settings.account;
    let (ids, tasks) = core.change(|state| {
        let cluster = state.cluster(input.cluster.as_deref())?;
        let found = state.definition(&input.task_definition).cloned();
        let definition = found.ok_or_else(|| client("TaskDefinition not found."))?;
        if !definition.active {
            return Err(client("TaskDefinition is inactive"));
        }
        check_overrides(&input, &definition)?;
        let over = input.overrides.as_ref();
        let task = over.and_then(|it| it.task_role_arn.as_ref()).or(definition.wire.task_role_arn.as_ref());
        let roles = task.into_iter().chain(&definition.wire.execution_role_arn);
        life::assumable(core, roles.map(|role| arn::role(account, role))).map_err(client)?;
        let mut ids = Vec::new();
        for _ in 0..count {
            let order = Launch {
                cluster: cluster.clone(),
                definition: definition.clone(),
                service: None,
                group: input.group.clone().unwrap_or_else(|| format!("family:{}", definition.family)),
                started_by: input.started_by.clone(),
                overrides: input.overrides.clone().unwrap_or_default(),
                network: input.network_configuration.clone(),
                targets: Vec::new(),
                tags: match input.propagate_tags.as_deref() {
                    Some("TASK_DEFINITION") => {
                        [definition.tags.clone(), input.tags.clone().unwrap_or_default()].concat()
                    }
                    _ => input.tags.clone().unwrap_or_default(),
                },
            };
            ids.push(launch(account, state, order));
        }
        let tasks: Vec<_> = ids.iter().filter_map(|id| Some(state.tasks.get(id)?.wire(account))).collect();
        Ok((ids, tasks))
    })?;
    for id in &ids {
        life::begin(core, id);
    }
    Ok(RunTaskResponse { tasks: Some(tasks), failures: Some(Vec::new()) })
}

fn check_overrides(input: &RunTaskRequest, definition: &Definition) -> Result<(), AwsError> {
    let Some(overrides) = &input.overrides else { return Ok(()) };
    refuse(overrides.cpu.is_some() || overrides.memory.is_some(), "cpu and memory overrides")?;
    refuse(overrides.ephemeral_storage.is_some(), "ephemeralStorage")?;
    for container in overrides.container_overrides.iter().flatten() {
        let name = container.name.as_deref().unwrap_or_default();
        if name != definition.container_name() {
            return Err(invalid(
                "Override for container named ".to_owned() + name + " is not a container in the TaskDefinition.",
            ));
        }
        refuse(container.cpu.is_some() || container.memory.is_some(), "cpu and memory overrides of a container")?;
        refuse(some(container.environment_files.as_ref()), "environmentFiles")?;
    }
    Ok(())
}

fn find<'a>(state: &'a State, cluster: &str, given: &str) -> Option<&'a Task> {
    state.tasks.get(arn::last_part(given)).filter(|task| task.cluster == cluster)
}

pub(super) fn stop(core: &Arc<Core>, input: StopTaskRequest) -> Result<StopTaskResponse, AwsError> {
    core.change(|state| {
        let cluster = state.cluster(input.cluster.as_deref().or_else(|| arn::cluster_part(&input.task)))?;
        let not_found = || invalid("The referenced task was not found.");
        let id = find(state, &cluster, &input.task).ok_or_else(not_found)?.id.clone();
        let task = state.tasks.get_mut(&id).ok_or_else(not_found)?;
        task.ask_to_stop("UserInitiated", input.reason.unwrap_or_else(|| "Task stopped by user".into()));
        Ok(StopTaskResponse { task: Some(task.wire(&core.settings.account)) })
    })
}

pub(super) fn describe(core: &Arc<Core>, input: DescribeTasksRequest) -> Result<DescribeTasksResponse, AwsError> {
    if input.tasks.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if input.tasks.len() > 100 {
        return Err(invalid("Tasks cannot have more than 100 elements."));
    }
    let account = &core.settings.account;
    core.read(|state| {
        let first = input.tasks.first().and_then(|task| arn::cluster_part(task));
        let cluster = state.cluster(input.cluster.as_deref().or(first))?;
        let (mut tasks, mut failures) = (Vec::new(), Vec::new());
        for given in &input.tasks {
            match find(state, &cluster, given) {
                Some(task) => tasks.push(task.wire(account)),
                None => failures.push(missing(arn::task(account, &cluster, arn::last_part(given)))),
            }
        }
        Ok(DescribeTasksResponse { tasks: Some(tasks), failures: Some(failures) })
    })
}

pub(super) fn list(core: &Arc<Core>, input: ListTasksRequest) -> Result<ListTasksResponse, AwsError> {
    refuse(input.container_instance.is_some(), "container instances")?;
    let wanted = input.desired_status.as_deref().unwrap_or("RUNNING");
    if !["RUNNING", "PENDING", "STOPPED"].contains(&wanted) {
        return Err(invalid(format!("desiredStatus {wanted} is not RUNNING, PENDING or STOPPED")));
    }
    let all = core.read(|state| {
        let cluster = state.cluster(input.cluster.as_deref())?;
        if let Some(service) = &input.service_name
            && !state.services.keys().any(|key| key.cluster == cluster && key.name == arn::last_part(service))
        {
            return Err(AwsError::client("ServiceNotFoundException", "Service not found."));
        }
        let fits = |task: &&Task| {
            let service = input.service_name.as_deref().map(arn::last_part);
            task.cluster == cluster
                && task.desired.as_str() == wanted
                && input.family.as_ref().is_none_or(|family| *family == task.definition.family)
                && service.is_none_or(|name| task.service.as_ref().is_some_and(|key| key.name == name))
                && input.started_by.as_ref().is_none_or(|by| task.started_by.as_ref() == Some(by))
                && input.launch_type.as_deref().is_none_or(|it| it == "FARGATE")
        };
        let mut tasks: Vec<&Task> = state.tasks.values().filter(fits).collect();
        tasks.sort_by_key(|task| (task.status == Status::Stopped, task.sequence));
        Ok(tasks.into_iter().map(|task| arn::task(&core.settings.account, &cluster, &task.id)).collect())
    })?;
    let (arns, next_token) = page(all, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListTasksResponse { task_arns: Some(arns), next_token })
}
