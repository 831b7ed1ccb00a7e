//! A deployment from its start to its end, step by step ("What happens during an Amazon ECS deployment").
//!
//! Everything that can end it early – a failure, an alarm, StopDeployment – comes out of a step as an [`End`]; what then happens is
//! decided in one place, [`conclude`].

mod rollback;
mod traffic;
mod watch;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use twin_platform::AwsError;
use winterbaume_codedeploy::model::{ErrorInformation, TrafficRoutingConfig};
use winterbaume_ecs::model::{CreateTaskSetRequest, LoadBalancer, Scale, TaskSet};

use crate::{
    appspec::AppSpec,
    config,
    core::Core,
    deployment::{Status, Wait},
    group::Plan,
    run::traffic::Traffic,
};

/// How long CodeDeploy waits for a replacement task set to become healthy.
const INSTALL_LIMIT_S: f64 = 3600.0;
/// Between two looks at a task set. Of the twin, not of AWS: it adds to each deployment.
const LOOK: Duration = Duration::from_millis(200);

/// Why a deployment ends before its time.
#[derive(Debug)]
pub(crate) enum End {
    Failed(ErrorInformation),
    Alarm(String),
    /// By StopDeployment, and whether it wants a rollback.
    Asked(bool),
    /// Nobody continued it in time.
    NotContinued,
}

/// One deployment under way.
pub(crate) struct Run {
    pub(crate) core: Arc<Core>,
    pub(crate) id: String,
    pub(crate) plan: Plan,
    pub(crate) spec: AppSpec,
    pub(crate) routing: TrafficRoutingConfig,
}

impl Run {
    /// Runs it to its end, with its rollback.
    pub(crate) async fn follow(self) {
        let result = match self.traffic().await {
            Ok(traffic) => self.steps(&traffic).await.map_err(|end| (end, Some(traffic))),
            Err(end) => Err((end, None)),
        };
        match result {
            Ok(()) => self.finish(Status::Succeeded, None),
            Err((end, traffic)) => self.conclude(end, traffic).await,
        }
    }

    async fn steps(&self, traffic: &Traffic) -> Result<(), End> {
        self.edit(|it| it.enter(Status::InProgress));
        self.check().await?;
        self.event("BeforeInstall", async { Ok(()) }).await?;
        let green = self.event("Install", self.install(traffic)).await?;
        self.event("AfterInstall", async { Ok(()) }).await?;
        if let Some(test) = &self.plan.route.test {
            self.event("AllowTestTraffic", self.allow_test(test, traffic)).await?;
            self.event("AfterAllowTestTraffic", async { Ok(()) }).await?;
        }
        if let Some(limit) = self.plan.ready {
            self.ready(limit).await?;
        }
        self.event("BeforeAllowTraffic", async { Ok(()) }).await?;
        self.event("AllowTraffic", self.allow(traffic, &green)).await?;
        self.event("AfterAllowTraffic", async { Ok(()) }).await?;
        if let Some(wait) = self.plan.terminate {
            self.edit(|it| {
                it.wait = Some(Wait::Termination);
                it.info_mut().instance_termination_wait_time_started = Some(true);
            });
            self.pause(wait, |asked| asked.end_termination_wait).await?;
            self.platform().delete_task_set(&self.plan.place, &traffic.blue_id).await.map_err(ecs_failed)?;
            self.observe(traffic).await?;
        }
        Ok(())
    }

    /// Makes the replacement task set and waits until all of it is healthy.
    async fn install(&self, traffic: &Traffic) -> Result<String, End> {
        let place = &self.plan.place;
        // A deployment that was stopped without a rollback may have left one.
        for left in traffic.left_over(&self.platform().task_sets(place).await.map_err(ecs_failed)?) {
            self.platform().delete_task_set(place, &left).await.map_err(ecs_failed)?;
        }
        // With a weight of nothing the group is in use, so its targets are checked.
        traffic.shift(self, 0).await?;
        let balancer = LoadBalancer {
            target_group_arn: Some(traffic.green_group.clone()),
            container_name: Some(self.spec.container.clone()),
            container_port: Some(self.spec.port),
            ..LoadBalancer::default()
        };
        let request = CreateTaskSetRequest {
            cluster: place.cluster.clone(),
            service: place.service.clone(),
            task_definition: self.spec.task_definition.clone(),
            external_id: Some(self.id.clone()),
            load_balancers: Some(vec![balancer]),
            scale: Some(Scale { unit: Some("PERCENT".into()), value: Some(100.0) }),
            network_configuration: self.spec.network.clone(),
            platform_version: self.spec.platform_version.clone(),
            capacity_provider_strategy: self.spec.capacity.clone(),
            ..CreateTaskSetRequest::default()
        };
        let made = self.platform().create_task_set(request).await.map_err(ecs_failed)?;
        let id = made.id.unwrap_or_default();
        let deadline = Instant::now() + self.core.speed.wait(INSTALL_LIMIT_S);
        loop {
            let sets = self.observe(traffic).await?;
            if sets.iter().any(|set| set.id.as_deref() == Some(&*id) && is_steady(set)) {
                return Ok(id);
            }
            if Instant::now() >= deadline {
                let message = "The deployment timed out while waiting for the replacement task set to become healthy. This time out period is 60 minutes.";
                return Err(failed("TIMEOUT", message));
            }
            self.pause(LOOK, |_| false).await?;
        }
    }

    async fn allow_test(&self, listener: &str, traffic: &Traffic) -> Result<(), End> {
        traffic.all_to(self, listener, &traffic.green_group).await
    }

    /// Waits for ContinueDeployment.
    async fn ready(&self, limit: Duration) -> Result<(), End> {
        self.edit(|it| {
            it.enter(Status::Ready);
            it.wait = Some(Wait::Ready);
        });
        if !self.pause(limit, |asked| asked.end_ready_wait).await? {
            return Err(End::NotContinued);
        }
        self.edit(|it| {
            it.wait = None;
            it.enter(Status::InProgress);
        });
        Ok(())
    }

    /// Shifts production traffic as configured; then the replacement is the primary.
    async fn allow(&self, traffic: &Traffic, green: &str) -> Result<(), End> {
        let (shares, wait) = config::steps(&self.routing, self.core.speed);
        for share in shares {
            traffic.shift(self, share).await?;
            self.observe(traffic).await?;
            if share < 100 {
                self.pause(wait, |_| false).await?;
            }
        }
        self.platform().promote(&self.plan.place, green).await.map_err(ecs_failed)?;
        self.observe(traffic).await.map(drop)
    }

    async fn event<T>(&self, name: &str, step: impl Future<Output = Result<T, End>>) -> Result<T, End> {
        self.edit(|it| it.begin(name));
        let done = step.await?;
        self.edit(|it| it.pass(name));
        Ok(done)
    }
}

/// A task set that has all of its tasks, healthy.
fn is_steady(set: &TaskSet) -> bool {
    set.stability_status.as_deref() == Some("STEADY_STATE") && set.running_count >= set.computed_desired_count
}

fn failed(code: &str, message: impl Into<String>) -> End {
    End::Failed(ErrorInformation { code: Some(code.to_owned()), message: Some(message.into()) })
}

/// What ECS refused.
fn ecs_failed(error: AwsError) -> End {
    let message =
        format!("The ECS service cannot be updated due to an unexpected error: {} ({})", error.message, error.code);
    failed("ECS_UPDATE_ERROR", message)
}
