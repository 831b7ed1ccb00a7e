//! CreateTaskSet, DescribeTaskSets, UpdateTaskSet, DeleteTaskSet, UpdateServicePrimaryTaskSet.
//!
//! AWS offers them for services with the controller EXTERNAL, and CodeDeploy works with the same ones on its own services.

use std::sync::Arc;

use twin_platform::{Account, AwsError};
use winterbaume_ecs::model::{
    self, CreateTaskSetRequest, CreateTaskSetResponse, DeleteTaskSetRequest, DeleteTaskSetResponse,
    DescribeTaskSetsRequest, DescribeTaskSetsResponse, Failure, Scale, UpdateServicePrimaryTaskSetRequest,
    UpdateServicePrimaryTaskSetResponse, UpdateTaskSetRequest, UpdateTaskSetResponse,
};

use super::{
    input::{client, invalid, refuse, some},
    service_input::{launch_type, network, targets},
    services::{active, key_of},
};
use crate::{
    core::Core,
    state::{Cohort, Controller, Make, Service, ServiceKey, State, TaskSet, TaskSetStatus, epoch_s},
};

/// "Deployments per service" and "task sets per service" in the service quotas.
const TASK_SETS_MAX: usize = 5;

pub(super) async fn create(core: &Arc<Core>, input: CreateTaskSetRequest) -> Result<CreateTaskSetResponse, AwsError> {
    refuse(some(input.service_registries.as_ref()), "service registries (Cloud Map)")?;
    let (key, definition, defaults) = core.read(|state| {
        let key = key_of(state, Some(&input.cluster), &input.service)?;
        let service = managed(active(state, &key)?)?;
        let definition = state.definition(&input.task_definition).filter(|it| it.active).cloned();
        let definition = definition.ok_or_else(|| client("Unable to find task definition."))?;
        Ok::<_, AwsError>((key, definition, service.network.clone()))
    })?;
    // A service of CodeDeploy's has a launch type and a network already; an external one has what its task sets say.
    if input.launch_type.is_some() || defaults.is_none() {
        launch_type(input.launch_type.as_deref(), input.capacity_provider_strategy.as_ref())?;
    }
    let own_network = input.network_configuration.or(defaults);
    network(own_network.as_ref())?;
    let scale = input.scale.as_ref().map_or(Ok(100.0), percent)?;
    let load_balancers = input.load_balancers.unwrap_or_default();
    if load_balancers.len() > 1 {
        return Err(invalid("Multiple target groups are not supported for task sets."));
    }
    let sides = targets(core, &definition, &load_balancers).await?;
    let mut make = Make { definition, targets: Vec::new(), load_balancers, network: own_network };
    make.place(&sides, &[], true);
    core.change(|state| {
        let wire = edit(&core.settings.account, state, &key, |service| {
            let token = input.client_token.as_ref();
            if let Some(made) = token.and_then(|_| service.task_sets.iter().find(|it| it.client_token.as_ref() == token)) {
                return Ok(made.cohort.id.clone());
            }
            let count = service.task_sets.len();
            if count >= TASK_SETS_MAX {
                return Err(invalid(format!(
                    "{count} deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit."
                )));
            }
            let cohort = Cohort::fresh(make);
            let id = cohort.id.clone();
            service.steady = false;
            service.task_sets.push(TaskSet {
                scale,
                external_id: input.external_id,
                client_token: input.client_token.clone(),
                tags: input.tags.unwrap_or_default(),
                ..TaskSet::fresh(cohort, TaskSetStatus::Active)
            });
            Ok(id)
        })?;
        Ok(CreateTaskSetResponse { task_set: Some(wire) })
    })
}

pub(super) fn describe(core: &Arc<Core>, input: DescribeTaskSetsRequest) -> Result<DescribeTaskSetsResponse, AwsError> {
    let account = &core.settings.account;
    let with_tags = input.include.iter().flatten().any(|it| it == "TAGS");
    core.read(|state| {
        let key = key_of(state, Some(&input.cluster), &input.service)?;
        let service = managed(active(state, &key)?)?;
        let wire = |set: &TaskSet| model::TaskSet {
            tags: with_tags.then(|| set.tags.clone()),
            ..set.wire(account, service, service.counts(state, Some(&set.cohort.id)))
        };
        let (mut task_sets, mut failures) = (Vec::new(), Vec::new());
        match input.task_sets.as_deref().filter(|wanted| !wanted.is_empty()) {
            None => task_sets.extend(service.task_sets.iter().map(wire)),
            Some(wanted) => {
                for given in wanted {
                    let id = id_of(given)?;
                    match service.task_sets.iter().find(|set| set.cohort.id == id) {
                        Some(set) => task_sets.push(wire(set)),
                        None => failures.push(Failure {
                            arn: Some(crate::arn::task_set(account, &key.cluster, &key.name, id)),
                            reason: Some("MISSING".into()),
                            detail: None,
                        }),
                    }
                }
            }
        }
        Ok(DescribeTaskSetsResponse { task_sets: Some(task_sets), failures: Some(failures) })
    })
}

pub(super) fn update(core: &Arc<Core>, input: UpdateTaskSetRequest) -> Result<UpdateTaskSetResponse, AwsError> {
    let scale = percent(&input.scale)?;
    let (given, account) = (&input.task_set, &core.settings.account);
    let wire = core.change(|state| {
        let key = key_of(state, Some(&input.cluster), &input.service)?;
        edit(account, state, &key, |service| {
            let set = found(service, given)?;
            set.scale = scale;
            set.stabilise(false);
            set.cohort.updated_at = epoch_s();
            Ok(set.cohort.id.clone())
        })
    })?;
    Ok(UpdateTaskSetResponse { task_set: Some(wire) })
}

pub(super) fn delete(core: &Arc<Core>, input: DeleteTaskSetRequest) -> Result<DeleteTaskSetResponse, AwsError> {
    let (given, account) = (&input.task_set, &core.settings.account);
    let wire = core.change(|state| {
        let key = key_of(state, Some(&input.cluster), &input.service)?;
        edit(account, state, &key, |service| {
            let desired = service.desired;
            let set = found(service, given)?;
            if set.desired(desired) > 0 && input.force != Some(true) {
                return Err(invalid(
                    "The task set cannot be deleted while it is scaled above 0. Use force to delete it.",
                ));
            }
            set.status = TaskSetStatus::Draining;
            set.stabilise(false);
            set.cohort.updated_at = epoch_s();
            Ok(set.cohort.id.clone())
        })
    })?;
    Ok(DeleteTaskSetResponse { task_set: Some(wire) })
}

pub(super) fn update_primary(
    core: &Arc<Core>,
    input: UpdateServicePrimaryTaskSetRequest,
) -> Result<UpdateServicePrimaryTaskSetResponse, AwsError> {
    let (given, account) = (&input.primary_task_set, &core.settings.account);
    let wire = core.change(|state| {
        let key = key_of(state, Some(&input.cluster), &input.service)?;
        edit(account, state, &key, |service| {
            let id = found(service, given)?.cohort.id.clone();
            service.promote(&id);
            Ok(id)
        })
    })?;
    Ok(UpdateServicePrimaryTaskSetResponse { task_set: Some(wire) })
}

/// Edits one service and answers the view of the task set that the edit names. An error leaves all as it was.
fn edit(
    account: &Account,
    state: &mut State,
    key: &ServiceKey,
    edit: impl FnOnce(&mut Service) -> Result<String, AwsError>,
) -> Result<model::TaskSet, AwsError> {
    managed(active(state, key)?)?;
    let Some(service) = state.services.get_mut(key) else { return Err(not_found()) };
    let id = edit(service)?;
    let Some(service) = state.services.get(key) else { return Err(not_found()) };
    let set = service.task_sets.iter().find(|set| set.cohort.id == id).ok_or_else(not_found)?;
    Ok(set.wire(account, service, service.counts(state, Some(&id))))
}

fn managed(service: &Service) -> Result<&Service, AwsError> {
    if service.controller == Controller::Ecs {
        return Err(invalid(
            "Amazon ECS only supports task set management on services configured to use external deployment controllers.",
        ));
    }
    Ok(service)
}

/// A task set that is not on its way out.
fn found<'a>(service: &'a mut Service, given: &str) -> Result<&'a mut TaskSet, AwsError> {
    let id = id_of(given)?;
    let mut sets = service.task_sets.iter_mut();
    sets.find(|set| set.cohort.id == id && set.status != TaskSetStatus::Draining).ok_or_else(not_found)
}

/// `ecs-svc/…` of an id or an ARN.
fn id_of(given: &str) -> Result<&str, AwsError> {
    let id = given.find("ecs-svc/").map(|at| &given[at..]);
    id.filter(|id| id.len() == given.len() || given.starts_with("arn:"))
        .ok_or_else(|| invalid("Task Set Identifier is invalid"))
}

fn percent(scale: &Scale) -> Result<f64, AwsError> {
    let unit = scale.unit.as_deref().unwrap_or("PERCENT");
    if unit != "PERCENT" {
        return Err(invalid(format!("The scale unit {unit} is not supported: use PERCENT.")));
    }
    let value = scale.value.unwrap_or(0.0);
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err(invalid(format!("The scale value {value} must be within 0.0 and 100.0.")))
    }
}

fn not_found() -> AwsError {
    AwsError::client("TaskSetNotFoundException", "The specified task set does not exist.")
}
