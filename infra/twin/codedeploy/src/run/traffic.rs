//! Where the traffic of a deployment goes.

use winterbaume_codedeploy::model::{ECSTaskSet, TargetGroupInfo};
use winterbaume_ecs::model::TaskSet;

use crate::{
    core::Core,
    group::Route,
    neighbours::Platform,
    run::{End, Run, ecs_failed, failed},
};

/// The two sides of a deployment.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) route: Route,
    /// The task set that served when the deployment began, and its target group.
    pub(crate) blue_id: String,
    pub(crate) blue_group: String,
    pub(crate) green_group: String,
}

impl Run {
    pub(crate) fn platform(&self) -> &dyn Platform {
        &*self.core.platform
    }

    /// Finds which target group serves, and which is free.
    pub(crate) async fn traffic(&self) -> Result<Traffic, End> {
        let (platform, route) = (self.platform(), &self.plan.route);
        let service = platform.service(&self.plan.place).await.map_err(ecs_failed)?;
        let by_us = service.is_some_and(|it| it.deployment_controller.is_some_and(|it| it.r#type == "CODE_DEPLOY"));
        if !by_us {
            let message = "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.";
            return Err(failed("INVALID_ECS_SERVICE", message));
        }
        let sets = platform.task_sets(&self.plan.place).await.map_err(ecs_failed)?;
        let primary = sets.iter().find(|set| set.status.as_deref() == Some("PRIMARY"));
        let primary =
            primary.ok_or_else(|| failed("INVALID_ECS_SERVICE", "The ECS service has no primary task set."))?;
        let blue_group = group_of(primary).unwrap_or_default();
        let mut pair = Vec::new();
        for name in &route.groups {
            let found = platform.routes().target_group(name).await;
            pair.push(found.map_err(|error| failed("ELASTIC_LOAD_BALANCING_INVALID", error.message))?);
        }
        let green_group = pair.iter().find(|arn| **arn != blue_group).filter(|_| pair.contains(&blue_group));
        let outside = || {
            let message =
                "The target group of the primary task set is not in the deployment group's target group pair.";
            failed("INVALID_ECS_SERVICE", message)
        };
        let green_group = green_group.ok_or_else(outside)?.clone();
        let rules = platform.routes().weights(&route.production).await;
        let rules = rules.map_err(|error| failed("ELASTIC_LOAD_BALANCING_INVALID", error.message))?;
        if !rules.iter().flatten().any(|(group, _)| *group == blue_group) {
            let message = format!(
                "The ELB could not be updated due to the following error: Primary taskset target group must be behind listener {}",
                route.production
            );
            return Err(failed("ELASTIC_LOAD_BALANCING_INVALID", message));
        }
        let blue_id = primary.id.clone().unwrap_or_default();
        Ok(Traffic { route: route.clone(), blue_id, blue_group, green_group })
    }

    /// Looks at the task sets and notes what they and their traffic are.
    pub(crate) async fn observe(&self, traffic: &Traffic) -> Result<Vec<TaskSet>, End> {
        let sets = self.platform().task_sets(&self.plan.place).await.map_err(ecs_failed)?;
        note(&self.core, &self.id, traffic, &sets).await;
        Ok(sets)
    }
}

impl Traffic {
    /// Gives the replacement `share` per cent of the production traffic.
    pub(crate) async fn shift(&self, run: &Run, share: u32) -> Result<(), End> {
        let weights = [(self.blue_group.clone(), 100 - share), (self.green_group.clone(), share)];
        shift(&*run.core.platform, &self.route.production, &weights).await
    }

    /// Gives one group all traffic of a listener.
    pub(crate) async fn all_to(&self, run: &Run, listener: &str, group: &str) -> Result<(), End> {
        let weights = [&self.blue_group, &self.green_group].map(|it| (it.clone(), if it == group { 100 } else { 0 }));
        shift(&*run.core.platform, listener, &weights).await
    }

    /// Task sets that neither serve nor are on their way out.
    pub(crate) fn left_over(&self, sets: &[TaskSet]) -> Vec<String> {
        let left =
            |set: &&TaskSet| set.status.as_deref() == Some("ACTIVE") && set.id.as_deref() != Some(&*self.blue_id);
        sets.iter().filter(left).filter_map(|set| set.id.clone()).collect()
    }
}

async fn shift(platform: &dyn Platform, listener: &str, weights: &[(String, u32)]) -> Result<(), End> {
    let problem = |message: String| {
        failed(
            "ELASTIC_LOAD_BALANCING_INVALID",
            format!("The ELB could not be updated due to the following error: {message}"),
        )
    };
    match platform.routes().shift(listener, weights).await {
        Ok(1..) => Ok(()),
        Ok(0) => Err(problem(format!("No rule of listener {listener} forwards to a target group of the pair"))),
        Err(error) => Err(problem(error.message)),
    }
}

/// Notes the task sets on the deployment as the API shows them.
pub(crate) async fn note(core: &Core, id: &str, traffic: &Traffic, sets: &[TaskSet]) {
    let rules = core.platform.routes().weights(&traffic.route.production).await.unwrap_or_default();
    let share = |group: &str| {
        let rule = rules.iter().find(|rule| rule.iter().any(|(known, _)| *known == group));
        let total: u32 = rule.into_iter().flatten().map(|(_, weight)| weight).sum();
        let own = rule.into_iter().flatten().find(|(known, _)| *known == group).map_or(0, |(_, weight)| *weight);
        if total == 0 { 0.0 } else { f64::from(own) * 100.0 / f64::from(total) }
    };
    let view = |set: &TaskSet| {
        let group = group_of(set).unwrap_or_default();
        let is_blue = set.id.as_deref() == Some(&*traffic.blue_id);
        let name = group.rsplit('/').nth(1).unwrap_or_default().to_owned();
        ECSTaskSet {
            identifer: set.id.clone(),
            desired_count: set.computed_desired_count.map(i64::from),
            pending_count: set.pending_count.map(i64::from),
            running_count: set.running_count.map(i64::from),
            status: set.status.clone(),
            traffic_weight: Some(share(&group)),
            target_group: Some(TargetGroupInfo { name: Some(name) }),
            task_set_label: Some(if is_blue { "Blue" } else { "Green" }.to_owned()),
        }
    };
    let views: Vec<ECSTaskSet> = sets.iter().map(view).collect();
    core.edit(id, |it| it.task_sets = views);
}

/// The target group of a task set.
pub(crate) fn group_of(set: &TaskSet) -> Option<String> {
    set.load_balancers.iter().flatten().find_map(|balancer| balancer.target_group_arn.clone())
}
