//! What a service was at one deployment: never changed, kept to be described and to be rolled back to.

use twin_platform::Account;
use winterbaume_ecs::model;

use super::{Cohort, Make, ServiceKey};
use crate::arn;

pub(crate) struct ServiceRevision {
    /// Id of the cohort that has its tasks.
    pub(crate) id: String,
    make: Make,
    created_at: f64,
}

impl ServiceRevision {
    pub(crate) fn of(cohort: &Cohort) -> Self {
        Self { id: cohort.id.clone(), make: cohort.make.clone(), created_at: cohort.created_at }
    }

    /// The API's view.
    pub(crate) fn wire(&self, account: &Account, key: &ServiceKey) -> model::ServiceRevision {
        let container = &self.make.definition.container;
        let routes = self.make.routes();
        let resolved = self.make.targets.iter().map(|target| {
            let group = &target.target_group_arn;
            let route = routes.iter().find(|route| route.own == *group);
            model::ServiceRevisionLoadBalancer {
                target_group_arn: Some(group.clone()),
                production_listener_rule: route.map(|route| route.production.clone()),
            }
        });
        model::ServiceRevision {
            service_revision_arn: Some(arn::service_revision(account, &key.cluster, &key.name, &self.id)),
            service_arn: Some(arn::service(account, &key.cluster, &key.name)),
            cluster_arn: Some(arn::cluster(account, &key.cluster)),
            task_definition: Some(self.make.definition.arn.clone()),
            launch_type: Some("FARGATE".into()),
            platform_version: Some("1.4.0".into()),
            platform_family: Some("Linux".into()),
            load_balancers: Some(self.make.load_balancers.clone()),
            network_configuration: self.make.network.clone(),
            container_images: Some(vec![model::ContainerImage {
                container_name: container.name.clone(),
                image: container.image.clone(),
                ..model::ContainerImage::default()
            }]),
            guard_duty_enabled: Some(false),
            resolved_configuration: Some(model::ResolvedConfiguration { load_balancers: Some(resolved.collect()) }),
            created_at: Some(self.created_at),
            ..model::ServiceRevision::default()
        }
    }
}
