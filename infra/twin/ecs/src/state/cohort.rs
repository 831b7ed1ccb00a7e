//! A set of tasks that are alike: one revision with its target groups and network. A rolling deployment and a task set are both one.
//!
//! What a task is started with is fixed here when the cohort is made, so an update of the service never changes tasks that a
//! rollback, or an older task set, starts later. Each cohort has its own pace: a broken one does not keep a good one from
//! replacing a task.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use winterbaume_ecs::model;

use super::{Definition, TargetOf, epoch_s};
use crate::arn;

/// What all tasks of a cohort are made of.
#[derive(Clone)]
pub(crate) struct Make {
    pub(crate) definition: Arc<Definition>,
    pub(crate) targets: Vec<TargetOf>,
    /// What `targets` was read from.
    pub(crate) load_balancers: Vec<model::LoadBalancer>,
    pub(crate) network: Option<model::NetworkConfiguration>,
}

/// A target group of a load balancer, and the alternate one that blue/green deployments take turns with.
#[derive(Clone)]
pub(crate) struct Sides {
    pub(crate) main: TargetOf,
    pub(crate) alternate: Option<TargetOf>,
}

impl Sides {
    /// The group that the `taken` targets are not in, or with `stay` the one that they are in.
    fn pick(&self, taken: &[TargetOf], stay: bool) -> &TargetOf {
        match &self.alternate {
            Some(alternate) if taken.contains(alternate) == stay && taken.contains(&self.main) != stay => alternate,
            _ => &self.main,
        }
    }
}

/// How traffic comes to a cohort through one load balancer.
pub(crate) struct Route {
    pub(crate) production: String,
    pub(crate) test: Option<String>,
    /// The cohort's target group, and the other one of the pair.
    pub(crate) own: String,
    pub(crate) other: String,
}

impl Make {
    /// Puts it into the target groups that the older tasks are not in, or with `stay` into those that they are in.
    pub(crate) fn place(&mut self, sides: &[Sides], taken: &[TargetOf], stay: bool) {
        self.targets = sides.iter().map(|it| it.pick(taken, stay).clone()).collect();
    }

    /// The routes through the load balancers that traffic can be shifted at.
    pub(crate) fn routes(&self) -> Vec<Route> {
        let pairs = self.load_balancers.iter().zip(&self.targets);
        let route = |(balancer, target): (&model::LoadBalancer, &TargetOf)| {
            let advanced = balancer.advanced_configuration.as_ref()?;
            let (main, alternate) = (balancer.target_group_arn.clone()?, advanced.alternate_target_group_arn.clone()?);
            let own = target.target_group_arn.clone();
            let other = if own == main { alternate } else { main };
            Some(Route {
                production: advanced.production_listener_rule.clone()?,
                test: advanced.test_listener_rule.clone(),
                own,
                other,
            })
        };
        pairs.filter_map(route).collect()
    }
}

pub(crate) struct Cohort {
    /// `ecs-svc/…`, which is `startedBy` of each of its tasks.
    pub(crate) id: String,
    pub(crate) make: Make,
    pub(crate) created_at: f64,
    pub(crate) updated_at: f64,
    /// Tasks in a row that failed to become healthy, as `failedTasks` shows them.
    pub(crate) failed_tasks: u32,
    /// Tasks in a row that ended without ever being healthy; sets the back-off.
    pub(crate) failures_in_row: u32,
    /// No task is started before this.
    pub(crate) not_before: Option<Instant>,
}

impl Cohort {
    pub(crate) fn fresh(make: Make) -> Self {
        let now = epoch_s();
        Self {
            id: arn::fresh_deployment_id(),
            make,
            created_at: now,
            updated_at: now,
            failed_tasks: 0,
            failures_in_row: 0,
            not_before: None,
        }
    }

    /// Keeps it from starting tasks for a while.
    pub(crate) fn hold(&mut self, wait: Duration) {
        self.not_before = Some(Instant::now() + wait);
    }

    /// Whether a back-off keeps it from starting tasks.
    pub(crate) fn held(&self) -> bool {
        self.not_before.is_some_and(|at| Instant::now() < at)
    }

    /// Forgets failures: a task became healthy, or the cohort gets another try.
    pub(crate) fn forgive(&mut self) {
        (self.failed_tasks, self.failures_in_row, self.not_before) = (0, 0, None);
    }
}
