//! CreateService, DescribeServices, ListServices, DeleteService.

use std::{collections::VecDeque, sync::Arc};

use twin_platform::AwsError;
use winterbaume_ecs::model::{
    CreateServiceRequest, CreateServiceResponse, DeleteServiceRequest, DeleteServiceResponse, DescribeServicesRequest,
    DescribeServicesResponse, ListServicesRequest, ListServicesResponse,
};

use super::{
    configuration, controller,
    input::{client, invalid, is_name, missing, page, refuse, some},
    service_input::{advanced, launch_type, network, targets},
};
use crate::{
    arn,
    core::Core,
    schedule,
    state::{
        Cohort, Configuration, Controller, Deployment, Make, Service, ServiceKey, ServiceStatus, State, TaskSet,
        TaskSetStatus, epoch_s,
    },
};

pub(super) async fn create(core: &Arc<Core>, input: CreateServiceRequest) -> Result<CreateServiceResponse, AwsError> {
    let controller = controller::named(input.deployment_controller.as_ref())?.unwrap_or(Controller::Ecs);
    check(&input, controller)?;
    let given = input.deployment_configuration.as_ref();
    let configuration = configuration::read(&Configuration::DEFAULT, given, core.alarms.as_ref())?;
    advanced(configuration.strategy, input.load_balancers.as_deref().unwrap_or_default())?;
    let (cluster, make) = match controller {
        // An external controller says with each task set what its tasks are.
        Controller::External => (core.read(|state| state.cluster(input.cluster.as_deref()))?, None),
        _ => {
            let (cluster, make) = make(core, &input).await?;
            (cluster, Some(make))
        }
    };
    let load_balancers = input.load_balancers.unwrap_or_default();
    if input.health_check_grace_period_seconds.is_some() && load_balancers.is_empty() && make.is_some() {
        return Err(invalid("Health check grace period is only valid for services configured to use load balancers"));
    }
    if controller == Controller::CodeDeploy && load_balancers.len() != 1 {
        return Err(invalid("A service with a CODE_DEPLOY deployment controller needs one load balancer."));
    }
    let desired =
        input.desired_count.map_or(Ok(1), u32::try_from).map_err(|_| invalid("desiredCount must not be negative"))?;
    let key = ServiceKey { cluster, name: input.service_name };
    let mut service = Service {
        key: key.clone(),
        status: ServiceStatus::Active,
        controller,
        created_at: epoch_s(),
        desired,
        configuration,
        grace_s: input.health_check_grace_period_seconds,
        load_balancers,
        network: input.network_configuration,
        propagate_tags: input.propagate_tags,
        managed_tags: input.enable_e_c_s_managed_tags,
        tags: input.tags.unwrap_or_default(),
        deployments: Vec::new(),
        task_sets: Vec::new(),
        history: Vec::new(),
        revisions: Vec::new(),
        notes: Vec::new(),
        events: VecDeque::new(),
        steady: false,
    };
    match (controller, make) {
        (Controller::Ecs, Some(make)) => service.begin(Deployment::fresh(make)),
        (_, Some(make)) => service.task_sets.push(TaskSet::fresh(Cohort::fresh(make), TaskSetStatus::Primary)),
        (_, None) => {}
    }
    let wire = core.change(|state| {
        match state.services.get(&key).map(|it| it.status) {
            Some(ServiceStatus::Active) => return Err(invalid("Creation of service was not idempotent.")),
            Some(ServiceStatus::Draining) => return Err(invalid("Unable to Start a service that is still Draining.")),
            _ => {}
        }
        // Tasks of a deleted service of the same name are none of the new one's.
        for task in state.tasks.values_mut().filter(|task| task.service.as_ref() == Some(&key)) {
            task.accounted = true;
        }
        let wire = service.wire(&core.settings.account, state);
        state.services.insert(key.clone(), service);
        Ok(wire)
    })?;
    schedule::tend(core, key);
    Ok(CreateServiceResponse { service: Some(wire) })
}

/// The cluster, and what the first tasks are made of.
async fn make(core: &Arc<Core>, input: &CreateServiceRequest) -> Result<(String, Make), AwsError> {
    let wanted = input.task_definition.as_deref().ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let (cluster, definition) = core.read(|state| {
        let cluster = state.cluster(input.cluster.as_deref())?;
        let definition = state.definition(wanted).filter(|it| it.active).cloned();
        Ok::<_, AwsError>((cluster, definition.ok_or_else(|| client("Unable to find task definition."))?))
    })?;
    let load_balancers = input.load_balancers.clone().unwrap_or_default();
    let sides = targets(core, &definition, &load_balancers).await?;
    let network = input.network_configuration.clone();
    let mut make = Make { definition, targets: Vec::new(), load_balancers, network };
    make.place(&sides, &[], true);
    Ok((cluster, make))
}

/// Refuses bad names and what is not imitated.
fn check(input: &CreateServiceRequest, controller: Controller) -> Result<(), AwsError> {
    if !is_name(&input.service_name) {
        return Err(invalid("Invalid service name: it can have up to 255 letters, numbers, hyphens and underscores."));
    }
    if controller == Controller::External {
        for (given, what) in [
            (input.task_definition.is_some(), "task definition"),
            (some(input.load_balancers.as_ref()), "load balancers"),
            (input.network_configuration.is_some(), "network configuration"),
            (input.launch_type.is_some(), "launch type"),
        ] {
            if given {
                return Err(invalid(format!(
                    "The {what} cannot be specified on services with an EXTERNAL deployment controller. Specify it in CreateTaskSet."
                )));
            }
        }
    } else {
        launch_type(input.launch_type.as_deref(), input.capacity_provider_strategy.as_ref())?;
        network(input.network_configuration.as_ref())?;
    }
    let strategy = input.scheduling_strategy.as_deref().unwrap_or("REPLICA");
    refuse(strategy != "REPLICA", &format!("the scheduling strategy {strategy}"))?;
    refuse(some(input.placement_constraints.as_ref()), "placement constraints")?;
    refuse(some(input.placement_strategy.as_ref()), "placement strategies")?;
    refuse(some(input.service_registries.as_ref()), "service registries (Cloud Map)")?;
    refuse(some(input.volume_configurations.as_ref()), "volume configurations")?;
    refuse(some(input.vpc_lattice_configurations.as_ref()), "VPC Lattice")?;
    refuse(input.service_connect_configuration.as_ref().is_some_and(|it| it.enabled), "Service Connect")?;
    refuse(input.enable_execute_command == Some(true), "ECS Exec (enableExecuteCommand)")?;
    refuse(input.availability_zone_rebalancing.as_deref() == Some("ENABLED"), "availabilityZoneRebalancing")
}

/// Cluster and name of a service that a request names, whatever its state.
pub(super) fn key_of(state: &State, cluster: Option<&str>, service: &str) -> Result<ServiceKey, AwsError> {
    let cluster = state.cluster(cluster.or_else(|| arn::cluster_part(service)))?;
    Ok(ServiceKey { cluster, name: arn::last_part(service).to_owned() })
}

/// A service that is there and not on its way out.
pub(super) fn active<'a>(state: &'a State, key: &ServiceKey) -> Result<&'a Service, AwsError> {
    let service = state.services.get(key).ok_or_else(not_found)?;
    if service.status == ServiceStatus::Active {
        Ok(service)
    } else {
        Err(AwsError::client("ServiceNotActiveException", "Service was not ACTIVE."))
    }
}

pub(super) fn not_found() -> AwsError {
    AwsError::client("ServiceNotFoundException", "Service not found.")
}

pub(super) fn describe(core: &Arc<Core>, input: DescribeServicesRequest) -> Result<DescribeServicesResponse, AwsError> {
    if input.services.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if input.services.len() > 10 {
        return Err(invalid("Services cannot have more than 10 elements."));
    }
    let account = &core.settings.account;
    let with_tags = input.include.iter().flatten().any(|it| it == "TAGS");
    core.read(|state| {
        let (mut services, mut failures) = (Vec::new(), Vec::new());
        for given in &input.services {
            let key = key_of(state, input.cluster.as_deref(), given)?;
            match state.services.get(&key) {
                Some(service) => {
                    let mut wire = service.wire(account, state);
                    wire.tags = with_tags.then(|| service.tags.clone());
                    services.push(wire);
                }
                None => failures.push(missing(arn::service(account, &key.cluster, &key.name))),
            }
        }
        Ok(DescribeServicesResponse { services: Some(services), failures: Some(failures) })
    })
}

pub(super) fn list(core: &Arc<Core>, input: ListServicesRequest) -> Result<ListServicesResponse, AwsError> {
    let fargate = input.launch_type.as_deref().is_none_or(|it| it == "FARGATE");
    let replica = input.scheduling_strategy.as_deref().is_none_or(|it| it == "REPLICA");
    let all = core.read(|state| {
        let cluster = state.cluster(input.cluster.as_deref())?;
        let alive =
            |it: &&Service| it.key.cluster == cluster && it.status != ServiceStatus::Inactive && fargate && replica;
        let services = state.services.values().filter(alive);
        Ok::<_, AwsError>(services.map(|it| arn::service(&core.settings.account, &cluster, &it.key.name)).collect())
    })?;
    let (arns, next_token) = page(all, input.next_token.as_deref(), input.max_results, 10)?;
    Ok(ListServicesResponse { service_arns: Some(arns), next_token })
}

pub(super) fn delete(core: &Arc<Core>, input: DeleteServiceRequest) -> Result<DeleteServiceResponse, AwsError> {
    core.change(|state| {
        let key = key_of(state, input.cluster.as_deref(), &input.service)?;
        let mut service = state.services.remove(&key).ok_or_else(not_found)?;
        let refusal = if service.status != ServiceStatus::Active {
            Some(AwsError::client("ServiceNotActiveException", "Service was not ACTIVE."))
        } else if service.desired > 0 && input.force != Some(true) {
            Some(invalid("The service cannot be stopped while it is scaled above 0."))
        } else {
            None
        };
        if refusal.is_none() {
            service.status = ServiceStatus::Draining;
            service.desired = 0;
        }
        let wire = service.wire(&core.settings.account, state);
        state.services.insert(key, service);
        refusal.map_or(Ok(DeleteServiceResponse { service: Some(wire) }), Err)
    })
}
