//! CreateCluster, DescribeClusters, ListClusters, DeleteCluster.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{
    self, CreateClusterRequest, CreateClusterResponse, DeleteClusterRequest, DeleteClusterResponse,
    DescribeClustersRequest, DescribeClustersResponse, ListClustersRequest, ListClustersResponse,
};

use super::input::{client, invalid, is_name, missing, page, refuse};
use crate::{
    arn,
    core::Core,
    state::{Cluster, ServiceStatus, State, Status},
};

pub(super) fn create(core: &Arc<Core>, input: CreateClusterRequest) -> Result<CreateClusterResponse, AwsError> {
    let name = input.cluster_name.unwrap_or_else(|| "default".into());
    if !is_name(&name) {
        return Err(invalid(
            "Invalid identifier: Identifiers can only contain letters, numbers, hyphens and underscores",
        ));
    }
    refuse(input.configuration.is_some(), "cluster configuration (execute command, managed storage)")?;
    refuse(input.service_connect_defaults.is_some(), "Service Connect")?;
    for provider in input.capacity_providers.iter().flatten() {
        refuse(!provider.starts_with("FARGATE"), &format!("the capacity provider {provider}"))?;
    }
    core.change(|state| {
        // CreateCluster is idempotent: an active cluster of the same name is answered as it is.
        if !state.clusters.get(&name).is_some_and(|cluster| cluster.active) {
            let cluster = Cluster {
                name: name.clone(),
                active: true,
                settings: input.settings,
                capacity_providers: input.capacity_providers,
                tags: input.tags.unwrap_or_default(),
            };
            state.clusters.insert(name.clone(), cluster);
        }
        Ok(CreateClusterResponse { cluster: wire(core, state, &name) })
    })
}

pub(super) fn delete(core: &Arc<Core>, input: DeleteClusterRequest) -> Result<DeleteClusterResponse, AwsError> {
    core.change(|state| {
        let name = state.cluster(Some(&input.cluster))?;
        if state.services.values().any(|it| it.key.cluster == name && it.status != ServiceStatus::Inactive) {
            let message = "The Cluster cannot be deleted while Services are active.";
            return Err(AwsError::client("ClusterContainsServicesException", message));
        }
        if state.tasks.values().any(|task| task.cluster == name && task.status != Status::Stopped) {
            let message = "The Cluster cannot be deleted while Tasks are active.";
            return Err(AwsError::client("ClusterContainsTasksException", message));
        }
        if let Some(cluster) = state.clusters.get_mut(&name) {
            cluster.active = false;
        }
        Ok(DeleteClusterResponse { cluster: wire(core, state, &name) })
    })
}

pub(super) fn describe(core: &Arc<Core>, input: DescribeClustersRequest) -> Result<DescribeClustersResponse, AwsError> {
    let wanted = input.clusters.filter(|it| !it.is_empty()).unwrap_or_else(|| vec!["default".into()]);
    if wanted.len() > 100 {
        return Err(client("Clusters cannot have more than 100 elements."));
    }
    core.read(|state| {
        let (mut clusters, mut failures) = (Vec::new(), Vec::new());
        for given in &wanted {
            let name = arn::last_part(given);
            match wire(core, state, name) {
                Some(cluster) => clusters.push(cluster),
                None => failures.push(missing(arn::cluster(&core.settings.account, name))),
            }
        }
        Ok(DescribeClustersResponse { clusters: Some(clusters), failures: Some(failures) })
    })
}

pub(super) fn list(core: &Arc<Core>, input: ListClustersRequest) -> Result<ListClustersResponse, AwsError> {
    let all = core.read(|state| {
        let active = state.clusters.values().filter(|cluster| cluster.active);
        active.map(|cluster| arn::cluster(&core.settings.account, &cluster.name)).collect()
    });
    let (arns, next_token) = page(all, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListClustersResponse { cluster_arns: Some(arns), next_token })
}

fn wire(core: &Core, state: &State, name: &str) -> Option<model::Cluster> {
    let cluster = state.clusters.get(name)?;
    let services =
        state.services.values().filter(|it| it.key.cluster == name && it.status == ServiceStatus::Active).count();
    let tasks = |wanted: &[Status]| {
        let count = state.tasks.values().filter(|task| task.cluster == name && wanted.contains(&task.status)).count();
        i32::try_from(count).ok()
    };
    Some(model::Cluster {
        cluster_arn: Some(arn::cluster(&core.settings.account, name)),
        cluster_name: Some(name.to_owned()),
        status: Some(if cluster.active { "ACTIVE" } else { "INACTIVE" }.into()),
        registered_container_instances_count: Some(0),
        running_tasks_count: tasks(&[Status::Running]),
        pending_tasks_count: tasks(&[Status::Provisioning, Status::Pending, Status::Activating]),
        active_services_count: i32::try_from(services).ok(),
        statistics: Some(Vec::new()),
        settings: Some(cluster.settings.clone().unwrap_or_default()),
        capacity_providers: Some(cluster.capacity_providers.clone().unwrap_or_default()),
        default_capacity_provider_strategy: Some(Vec::new()),
        tags: Some(cluster.tags.clone()),
        ..model::Cluster::default()
    })
}
