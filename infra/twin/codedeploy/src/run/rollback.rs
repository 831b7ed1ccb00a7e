//! The end of a deployment, and the rollback: a deployment of its own that gives the traffic back to the original task set.

use winterbaume_codedeploy::model::{DeploymentInfo, ErrorInformation, LastDeploymentInfo, RollbackInfo};

use crate::{
    core::now_s,
    deployment::{Deployment, Status, fresh_id},
    run::{
        End, Run, is_steady,
        traffic::{Traffic, note},
    },
};

impl Run {
    /// Ends a deployment that did not succeed, and rolls it back when it or its group says so.
    pub(crate) async fn conclude(&self, end: End, traffic: Option<Traffic>) {
        let error =
            |code: &str, message: &str| ErrorInformation { code: Some(code.into()), message: Some(message.into()) };
        let wants = |event: &str| self.plan.rollback.iter().any(|it| it == event);
        let (status, error, rollback) = match end {
            End::Failed(error) => (Status::Failed, error, wants("DEPLOYMENT_FAILURE")),
            End::Alarm(message) => {
                (Status::Stopped, error("ALARM_ACTIVE", &message), wants("DEPLOYMENT_STOP_ON_ALARM"))
            }
            End::Asked(rollback) => {
                (Status::Stopped, error("MANUAL_STOP", "The deployment was stopped by a user."), rollback)
            }
            End::NotContinued => {
                let message = "The deployment was not continued within its wait time.";
                (Status::Stopped, error("TIMEOUT", message), wants("DEPLOYMENT_FAILURE"))
            }
        };
        tracing::info!(deployment = self.id, status = status.as_str(), error = ?error.message, rollback, "deployment ended");
        let Some(traffic) = traffic.filter(|_| rollback) else { return self.finish(status, Some(error)) };
        let message = error.message.clone().unwrap_or_default();
        let Some(rollback) = self.begin_rollback(status, error, &message) else { return };
        let back = Self {
            core: self.core.clone(),
            id: rollback,
            plan: self.plan.clone(),
            spec: self.spec.clone(),
            routing: self.routing.clone(),
        };
        match back.give_back(&traffic, &self.id).await {
            Ok(()) => back.finish(Status::Succeeded, None),
            Err(End::Failed(error)) => back.finish(Status::Failed, Some(error)),
            Err(other) => tracing::warn!(?other, "a rollback was interrupted"),
        }
    }

    /// Ends this deployment and makes the one that rolls it back, in one moment: the group is never without one of them.
    fn begin_rollback(&self, status: Status, error: ErrorInformation, why: &str) -> Option<String> {
        let id = fresh_id();
        let mut state = self.core.state();
        let own = state.deployments.iter_mut().find(|it| it.id() == self.id)?;
        own.end(status, Some(error));
        let previous = own.info().previous_revision;
        own.info_mut().rollback_info =
            Some(RollbackInfo { rollback_deployment_id: Some(id.clone()), ..RollbackInfo::default() });
        let last = last(own);
        let info = DeploymentInfo {
            deployment_id: Some(id.clone()),
            creator: Some("codeDeployRollback".into()),
            revision: previous,
            previous_revision: own.info().revision,
            description: Some(format!("Rolls back {}", self.id)),
            rollback_info: Some(RollbackInfo {
                rollback_triggering_deployment_id: Some(self.id.clone()),
                rollback_message: Some(why.to_owned()),
                rollback_deployment_id: None,
            }),
            status: None,
            start_time: None,
            complete_time: None,
            error_information: None,
            instance_termination_wait_time_started: Some(false),
            ..own.info()
        };
        let place = own.place().clone();
        let (application, group) = names(&info);
        if let Ok(group) = state.group(&application, &group) {
            group.last_attempted_deployment = Some(last);
        }
        state.deployments.push(Deployment::new(info, place, self.plan.route.test.is_some()));
        Some(id)
    }

    /// Gives the original task set all traffic again and deletes the replacement of the deployment `failed`.
    async fn give_back(&self, traffic: &Traffic, failed: &str) -> Result<(), End> {
        let place = &self.plan.place;
        self.edit(|it| it.enter(Status::InProgress));
        for name in ["BeforeInstall", "Install", "AfterInstall"] {
            self.event(name, async { Ok(()) }).await?;
        }
        if let Some(test) = &self.plan.route.test {
            self.event("AllowTestTraffic", traffic.all_to(self, test, &traffic.blue_group)).await?;
            self.event("AfterAllowTestTraffic", async { Ok(()) }).await?;
        }
        self.event("BeforeAllowTraffic", async { Ok(()) }).await?;
        let shift = traffic.all_to(self, &self.plan.route.production, &traffic.blue_group);
        self.event("AllowTraffic", shift).await?;
        self.event("AfterAllowTraffic", async { Ok(()) }).await?;
        let sets = self.observe(traffic).await?;
        let blue = sets.iter().find(|set| set.id.as_deref() == Some(&*traffic.blue_id));
        if blue.is_some_and(|blue| blue.status.as_deref() != Some("PRIMARY")) {
            self.platform().promote(place, &traffic.blue_id).await.map_err(super::ecs_failed)?;
        }
        if !blue.is_some_and(is_steady) {
            tracing::warn!(service = place.service, "rolled back to a task set that is not steady");
        }
        // The replacement is known by what CreateTaskSet was told, so one whose making was cut short is found too.
        for set in sets.iter().filter(|set| set.external_id.as_deref() == Some(failed)) {
            if set.status.as_deref() != Some("DRAINING")
                && let Some(id) = &set.id
            {
                self.platform().delete_task_set(place, id).await.map_err(super::ecs_failed)?;
            }
        }
        let sets = self.observe(traffic).await?;
        note(&self.core, failed, traffic, &sets).await;
        Ok(())
    }

    /// Ends this deployment and tells its group.
    pub(crate) fn finish(&self, status: Status, error: Option<ErrorInformation>) {
        let mut state = self.core.state();
        let Some(own) = state.deployments.iter_mut().find(|it| it.id() == self.id) else { return };
        own.end(status, error);
        let (info, last) = (own.info(), last(own));
        let (application, group) = names(&info);
        // The group may have been deleted meanwhile.
        let Ok(group) = state.group(&application, &group) else { return };
        if status == Status::Succeeded {
            group.last_successful_deployment = Some(last.clone());
            group.target_revision = info.revision;
        }
        group.last_attempted_deployment = Some(last);
    }
}

fn last(deployment: &Deployment) -> LastDeploymentInfo {
    let info = deployment.info();
    LastDeploymentInfo {
        create_time: info.create_time,
        deployment_id: info.deployment_id,
        end_time: Some(now_s()),
        status: info.status,
    }
}

fn names(info: &DeploymentInfo) -> (String, String) {
    (info.application_name.clone().unwrap_or_default(), info.deployment_group_name.clone().unwrap_or_default())
}
