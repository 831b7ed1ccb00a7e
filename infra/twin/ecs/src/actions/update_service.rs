//! UpdateService: the desired count, and what begins a new deployment.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{UpdateServiceRequest, UpdateServiceResponse};

use super::{
    input::{client, invalid, refuse, some},
    service_input::{Rolling, network, targets},
    services::key_of,
};
use crate::{
    core::Core,
    state::{Deployment, Service, ServiceKey, ServiceStatus, State},
};

pub(super) async fn update(core: &Arc<Core>, input: UpdateServiceRequest) -> Result<UpdateServiceResponse, AwsError> {
    check(&input)?;
    let (key, definition, rolling) = core.read(|state| {
        let key = key_of(state, input.cluster.as_deref(), &input.service)?;
        let service = active(state, &key)?;
        let definition = match &input.task_definition {
            Some(wanted) => {
                let found = state.definition(wanted).filter(|it| it.active).cloned();
                Some(found.ok_or_else(|| client("Unable to find task definition."))?)
            }
            None => None,
        };
        let rolling = Rolling {
            minimum_percent: service.minimum_percent,
            maximum_percent: service.maximum_percent,
            breaker: service.breaker,
        };
        let rolling = rolling.with(input.deployment_configuration.as_ref())?;
        let current = service.deployments.first().map(|it| it.definition.clone());
        Ok::<_, AwsError>((key, definition.or(current), rolling))
    })?;
    let definition = definition.ok_or_else(|| client("Unable to find task definition."))?;
    let new_targets = match &input.load_balancers {
        Some(balancers) => Some(targets(core, &definition, balancers).await?),
        None => {
            // A new revision must still have the port that the target groups send to.
            let balancers = core.read(|state| active(state, &key).map(|service| service.load_balancers.clone()))?;
            targets(core, &definition, &balancers).await?;
            None
        }
    };
    let desired = input.desired_count.map(u32::try_from).transpose();
    let desired = desired.map_err(|_| invalid("desiredCount must not be negative"))?;
    core.change(|state| {
        active(state, &key)?;
        let Some(mut service) = state.services.remove(&key) else { return Err(not_found()) };
        service.minimum_percent = rolling.minimum_percent;
        service.maximum_percent = rolling.maximum_percent;
        service.breaker = rolling.breaker;
        service.grace_s = input.health_check_grace_period_seconds.or(service.grace_s);
        service.propagate_tags = input.propagate_tags.or(service.propagate_tags.take());
        if let Some(desired) = desired
            && desired != service.desired
        {
            service.desired = desired;
            service.steady = false;
        }
        let mut redeploy = input.force_new_deployment == Some(true);
        redeploy |= service.deployments.first().is_none_or(|primary| primary.definition.arn != definition.arn);
        if let Some(targets) = new_targets {
            redeploy |= targets != service.targets;
            service.targets = targets;
            service.load_balancers = input.load_balancers.unwrap_or_default();
        }
        if input.network_configuration.is_some() {
            redeploy = true;
            service.network = input.network_configuration;
        }
        if redeploy {
            service.deploy(Deployment::fresh(definition));
        }
        let wire = service.wire(&core.settings.account, state);
        state.services.insert(key, service);
        Ok(UpdateServiceResponse { service: Some(wire) })
    })
}

fn check(input: &UpdateServiceRequest) -> Result<(), AwsError> {
    let controller = input.deployment_controller.as_ref().map_or("ECS", |it| it.r#type.as_str());
    refuse(controller != "ECS", &format!("the deployment controller {controller}"))?;
    for item in input.capacity_provider_strategy.iter().flatten() {
        refuse(item.capacity_provider != "FARGATE", &format!("the capacity provider {}", item.capacity_provider))?;
    }
    refuse(some(input.placement_constraints.as_ref()), "placement constraints")?;
    refuse(some(input.placement_strategy.as_ref()), "placement strategies")?;
    refuse(some(input.service_registries.as_ref()), "service registries (Cloud Map)")?;
    refuse(some(input.volume_configurations.as_ref()), "volume configurations")?;
    refuse(some(input.vpc_lattice_configurations.as_ref()), "VPC Lattice")?;
    refuse(input.service_connect_configuration.as_ref().is_some_and(|it| it.enabled), "Service Connect")?;
    refuse(input.enable_execute_command == Some(true), "ECS Exec (enableExecuteCommand)")?;
    refuse(input.availability_zone_rebalancing.as_deref() == Some("ENABLED"), "availabilityZoneRebalancing")?;
    match &input.network_configuration {
        Some(given) => network(Some(given)),
        None => Ok(()),
    }
}

fn not_found() -> AwsError {
    AwsError::client("ServiceNotFoundException", "Service not found.")
}

fn active<'a>(state: &'a State, key: &ServiceKey) -> Result<&'a Service, AwsError> {
    let service = state.services.get(key).ok_or_else(not_found)?;
    if service.status == ServiceStatus::Active {
        Ok(service)
    } else {
        Err(AwsError::client("ServiceNotActiveException", "Service was not ACTIVE."))
    }
}
