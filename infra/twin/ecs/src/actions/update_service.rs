//! UpdateService: the desired count, and what begins a new deployment.

use std::sync::Arc;

use serde_json::json;
use twin_platform::AwsError;
use winterbaume_ecs::model::{UpdateServiceRequest, UpdateServiceResponse};

use super::{
    configuration, controller,
    input::{client, invalid, refuse, some},
    service_input::{advanced, network, targets},
    services::{active, key_of, not_found},
};
use crate::{
    core::Core,
    state::{Controller, Deployment, Make, Strategy},
};

pub(super) async fn update(core: &Arc<Core>, input: UpdateServiceRequest) -> Result<UpdateServiceResponse, AwsError> {
    check(&input)?;
    let moved = controller::named(input.deployment_controller.as_ref())?;
    let (key, to, make, configuration) = core.read(|state| {
        let key = key_of(state, input.cluster.as_deref(), &input.service)?;
        let service = active(state, &key)?;
        let to = moved.unwrap_or(service.controller);
        controller::allow(to, &input)?;
        if to != service.controller {
            controller::may_move(service, to)?;
        }
        let definition = match &input.task_definition {
            Some(wanted) => {
                let found = state.definition(wanted).filter(|it| it.active).cloned();
                Some(found.ok_or_else(|| client("Unable to find task definition."))?)
            }
            None => service.definition().cloned(),
        };
        let given = input.deployment_configuration.as_ref();
        let configuration = configuration::read(&service.configuration, given, core.alarms.as_ref())?;
        let make = definition.map(|definition| Make {
            definition,
            targets: Vec::new(),
            load_balancers: input.load_balancers.clone().unwrap_or_else(|| service.load_balancers.clone()),
            network: input.network_configuration.clone().or_else(|| service.network.clone()),
        });
        if to == Controller::Ecs {
            advanced(configuration.strategy, make.as_ref().map_or(&[], |make| &make.load_balancers))?;
        }
        Ok::<_, AwsError>((key, to, make, configuration))
    })?;
    let make = match make {
        // A new revision must still have the port that the target groups send to.
        Some(make) => Some((targets(core, &make.definition, &make.load_balancers).await?, make)),
        None => None,
    };
    let desired = input.desired_count.map(u32::try_from).transpose();
    let desired = desired.map_err(|_| invalid("desiredCount must not be negative"))?;
    core.change(|state| {
        let service = active(state, &key)?;
        if to != service.controller {
            controller::may_move(service, to)?;
        }
        let Some(mut service) = state.services.remove(&key) else { return Err(not_found()) };
        if to != service.controller {
            controller::transfer(&mut service, to);
        }
        service.configuration = configuration;
        service.grace_s = input.health_check_grace_period_seconds.or(service.grace_s);
        service.propagate_tags = input.propagate_tags.or(service.propagate_tags.take());
        if let Some(desired) = desired
            && desired != service.desired
        {
            service.desired = desired;
            service.steady = false;
        }
        if let (Controller::Ecs, Some((sides, mut make))) = (to, make) {
            let mut redeploy = service.definition().is_none_or(|it| it.arn != make.definition.arn);
            redeploy |= json!(service.load_balancers) != json!(make.load_balancers);
            redeploy |= input.network_configuration.is_some() || input.force_new_deployment == Some(true);
            service.load_balancers.clone_from(&make.load_balancers);
            service.network.clone_from(&make.network);
            if redeploy {
                // A rolling deployment stays where traffic comes in; any other takes the other target groups.
                let stay = service.configuration.strategy == Strategy::Rolling;
                let taken = service.proven().map_or_else(Vec::new, |it| it.cohort.make.targets.clone());
                make.place(&sides, &taken, stay);
                service.begin(Deployment::fresh(make));
            }
        }
        let wire = service.wire(&core.settings.account, state);
        state.services.insert(key, service);
        Ok(UpdateServiceResponse { service: Some(wire) })
    })
}

fn check(input: &UpdateServiceRequest) -> Result<(), AwsError> {
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
