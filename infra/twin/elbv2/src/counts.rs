//! What CloudWatch shows of load balancers and is no request: connections, and targets by health.

use std::sync::Arc;

use crate::{
    state::State,
    target::{Health, Target},
};

/// One load balancer now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerCounts {
    /// `app/<name>/<id>`.
    pub load_balancer: Arc<str>,
    /// Open connections from clients, and to targets.
    pub active_connections: u64,
    /// Connections from clients since the start.
    pub accepted_connections: u64,
    /// The groups to which its rules send requests.
    pub groups: Vec<GroupCounts>,
}

/// One target group of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupCounts {
    /// `targetgroup/<name>/<id>`.
    pub target_group: String,
    /// Targets in the state `healthy`.
    pub healthy: u64,
    /// Targets in the state `unhealthy`.
    pub unhealthy: u64,
}

pub(crate) fn now(state: &State) -> Vec<BalancerCounts> {
    let balancers = state.balancers.iter().map(|balancer| {
        let used = || state.groups.iter().filter(|group| balancer.uses(group));
        let to_targets: usize = used().flat_map(|group| group.targets()).map(|target| target.pool.open()).sum();
        let from_clients = balancer.shared.clients.open();
        BalancerCounts {
            load_balancer: Arc::clone(&balancer.shared.id),
            active_connections: u64::try_from(to_targets).unwrap_or(u64::MAX).saturating_add(from_clients),
            accepted_connections: balancer.shared.clients.accepted(),
            groups: used().map(|group| group_counts(&group.arn, &group.targets())).collect(),
        }
    });
    balancers.collect()
}

fn group_counts(arn: &str, targets: &[Arc<Target>]) -> GroupCounts {
    let count = |wanted: fn(Health) -> bool| {
        u64::try_from(targets.iter().filter(|target| wanted(target.health())).count()).unwrap_or(u64::MAX)
    };
    GroupCounts {
        target_group: metric_name(arn).to_owned(),
        healthy: count(|health| health == Health::Healthy),
        unhealthy: count(|health| matches!(health, Health::Unhealthy(_))),
    }
}

/// The part of an ARN that metrics use as a dimension: the resource, without `loadbalancer/` in front. The platform's side of a rule
/// that every client applies for itself (breakfix's set of resources too): shared, a mistake in it would not show.
pub fn metric_name(arn: &str) -> &str {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    resource.strip_prefix("loadbalancer/").unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_are_the_ends_of_arns() {
        let arn = |resource: &str| format!("arn:aws:elasticloadbalancing:us-west-2:123456789012:{resource}");
        assert_eq!(metric_name(&arn("loadbalancer/app/golden/1a")), "app/golden/1a");
        assert_eq!(metric_name(&arn("targetgroup/golden/2b")), "targetgroup/golden/2b");
    }
}
