//! Neighbours that do as they are told, for the tests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use twin_platform::{
    AwsError,
    seam::{Routes, Weights},
};
use winterbaume_ecs::model::{
    ContainerDefinition, CreateTaskSetRequest, DeploymentController, LoadBalancer, PortMapping, Service,
    TaskDefinition, TaskSet,
};

use crate::neighbours::{Place, Platform};

pub(crate) const PRODUCTION: &str = "listener/production";
pub(crate) const TEST: &str = "listener/test";

/// What the neighbours know, and what a test changes.
pub(crate) struct World {
    pub(crate) controller: &'static str,
    pub(crate) sets: Vec<TaskSet>,
    pub(crate) production: Weights,
    pub(crate) test: Weights,
    /// Every weight that the green group has had on the production listener.
    pub(crate) shares: Vec<u32>,
    pub(crate) active_alarms: Vec<String>,
    /// Whether new task sets become steady.
    pub(crate) healthy: bool,
}

pub(crate) struct Fake(Mutex<World>);

/// The ARN of the target group with this name.
pub(crate) fn group(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/{name}/0123456789abcdef")
}

fn set(id: &str, status: &str, group: &str, steady: bool) -> TaskSet {
    TaskSet {
        id: Some(id.into()),
        status: Some(status.into()),
        stability_status: Some(if steady { "STEADY_STATE" } else { "STABILIZING" }.into()),
        computed_desired_count: Some(2),
        running_count: Some(if steady { 2 } else { 0 }),
        load_balancers: Some(vec![LoadBalancer { target_group_arn: Some(group.into()), ..LoadBalancer::default() }]),
        ..TaskSet::default()
    }
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(World {
            controller: "CODE_DEPLOY",
            sets: vec![set("ecs-svc/1", "PRIMARY", &group("blue"), true)],
            production: vec![(group("blue"), 1)],
            test: vec![(group("blue"), 1)],
            shares: Vec::new(),
            active_alarms: Vec::new(),
            healthy: true,
        }))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Routes for Fake {
    async fn target_group(&self, name: &str) -> Result<String, AwsError> {
        if ["blue", "green"].contains(&name) {
            return Ok(group(name));
        }
        Err(AwsError::client("TargetGroupNotFound", "One or more target groups not found"))
    }

    async fn weights(&self, listener: &str) -> Result<Vec<Weights>, AwsError> {
        match listener {
            PRODUCTION => Ok(vec![self.world().production.clone()]),
            TEST => Ok(vec![self.world().test.clone()]),
            other => Err(AwsError::client("ListenerNotFound", format!("One or more listeners not found: '{other}'"))),
        }
    }

    async fn shift(&self, listener: &str, weights: &[(String, u32)]) -> Result<usize, AwsError> {
        let mut world = self.world();
        if listener == TEST {
            world.test = weights.to_vec();
        } else {
            let green = weights.iter().find(|(arn, _)| *arn == group("green")).map_or(0, |(_, weight)| *weight);
            world.shares.push(green);
            world.production = weights.to_vec();
        }
        Ok(1)
    }
}

#[async_trait]
impl Platform for Fake {
    fn routes(&self) -> &dyn Routes {
        self
    }

    async fn service(&self, place: &Place) -> Result<Option<Service>, AwsError> {
        let controller = Some(DeploymentController { r#type: self.world().controller.into() });
        Ok((place.service == "web").then(|| Service { deployment_controller: controller, ..Service::default() }))
    }

    async fn task_definition(&self, name: &str) -> Result<TaskDefinition, AwsError> {
        if !name.starts_with("web:") {
            return Err(AwsError::client("ClientException", "Unable to describe task definition."));
        }
        let port = PortMapping { container_port: Some(8080), ..PortMapping::default() };
        let container = ContainerDefinition {
            name: Some("web".into()),
            port_mappings: Some(vec![port]),
            ..ContainerDefinition::default()
        };
        Ok(TaskDefinition { container_definitions: Some(vec![container]), ..TaskDefinition::default() })
    }

    async fn create_task_set(&self, request: CreateTaskSetRequest) -> Result<TaskSet, AwsError> {
        let mut world = self.world();
        let group = request.load_balancers.unwrap_or_default().remove(0).target_group_arn.unwrap_or_default();
        let id = format!("ecs-svc/{}", world.shares.len() + 100);
        let made = TaskSet { external_id: request.external_id, ..set(&id, "ACTIVE", &group, world.healthy) };
        world.sets.push(made.clone());
        Ok(made)
    }

    async fn task_sets(&self, _: &Place) -> Result<Vec<TaskSet>, AwsError> {
        Ok(self.world().sets.clone())
    }

    async fn promote(&self, _: &Place, task_set: &str) -> Result<(), AwsError> {
        for set in &mut self.world().sets {
            let primary = set.id.as_deref() == Some(task_set);
            set.status = Some(if primary { "PRIMARY" } else { "ACTIVE" }.into());
        }
        Ok(())
    }

    async fn delete_task_set(&self, _: &Place, task_set: &str) -> Result<(), AwsError> {
        self.world().sets.retain(|set| set.id.as_deref() != Some(task_set));
        Ok(())
    }

    async fn alarms(&self, names: &[String]) -> Result<Vec<String>, AwsError> {
        let active = self.world().active_alarms.clone();
        Ok(active.into_iter().filter(|name| names.contains(name)).collect())
    }

    async fn object(&self, _: &str, _: &str) -> Result<Bytes, AwsError> {
        Err(AwsError::client("NoSuchKey", "The object does not exist."))
    }
}
