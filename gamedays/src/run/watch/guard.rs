//! What a repair must leave as it is: to turn something off is no recovery.

use contract::names::resource;
use reset::AwsError;

use crate::Lab;

/// The service as ECS describes it, with what is guarded.
pub(super) struct Guarded {
    pub(super) desired: i32,
    pub(super) running: i32,
    pub(super) deployments: usize,
    pub(super) guard: Guard,
}

/// What is compared with what it was before the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::run) struct Guard {
    /// Tasks wanted; more is allowed.
    desired: i32,
    /// Of the tasks.
    task_groups: Vec<String>,
    /// Of the balancer.
    balancer_groups: Vec<String>,
    /// ARN of the web ACL in front of the balancer; none where there is none, or where it cannot be asked.
    web_acl: Option<String>,
}

impl Guard {
    /// What is worse than before, in a line each.
    pub(in crate::run) fn broken(&self, before: &Self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.desired < before.desired {
            reasons.push(format!("the service wants {} tasks, not {}", self.desired, before.desired));
        }
        if self.task_groups != before.task_groups {
            reasons.push(format!("the tasks' security groups are {}", self.task_groups.join(", ")));
        }
        if self.balancer_groups != before.balancer_groups {
            reasons.push(format!("the balancer's security groups are {}", self.balancer_groups.join(", ")));
        }
        if self.web_acl != before.web_acl {
            let now = self.web_acl.as_deref().unwrap_or("gone");
            reasons.push(format!("the balancer's web ACL is {now}"));
        }
        reasons
    }
}

pub(super) async fn look(lab: &Lab) -> Result<Guarded, String> {
    let services = lab.clients.ecs.describe_services().cluster(&lab.names.cluster).services(&lab.names.service).send();
    let balancers = lab.clients.elbv2.describe_load_balancers().names(resource::LOAD_BALANCER).send();
    let (services, balancers) = tokio::join!(services, balancers);
    let services = services.map_err(|error| AwsError::from_sdk("ecs:DescribeServices")(error).to_string())?;
    let balancers = balancers
        .map_err(|error| AwsError::from_sdk("elasticloadbalancing:DescribeLoadBalancers")(error).to_string())?;
    let service = services.services().first().ok_or("the service is not described")?;
    let balancer = balancers.load_balancers().first().ok_or("the load balancer is not described")?;
    let network = service.network_configuration().and_then(|network| network.awsvpc_configuration());
    let sorted = |groups: &[String]| {
        let mut groups = groups.to_vec();
        groups.sort();
        groups
    };
    Ok(Guarded {
        desired: service.desired_count(),
        running: service.running_count(),
        deployments: service.deployments().len(),
        guard: Guard {
            desired: service.desired_count(),
            task_groups: sorted(network.map(|network| network.security_groups()).unwrap_or_default()),
            balancer_groups: sorted(balancer.security_groups()),
            web_acl: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_tasks_wider_groups_and_a_lost_web_acl_are_no_repair() {
        let before = Guard {
            desired: 2,
            task_groups: vec!["sg-1".into()],
            balancer_groups: vec!["sg-2".into()],
            web_acl: Some("arn:acl".into()),
        };
        assert_eq!(before.broken(&before), Vec::<String>::new());
        assert_eq!(
            Guard { desired: 3, ..before.clone() }.broken(&before),
            Vec::<String>::new(),
            "more tasks are a repair"
        );
        assert_eq!(Guard { desired: 0, ..before.clone() }.broken(&before), ["the service wants 0 tasks, not 2"]);
        let open = Guard { web_acl: None, task_groups: vec!["sg-open".into()], ..before.clone() };
        assert_eq!(open.broken(&before), ["the tasks' security groups are sg-open", "the balancer's web ACL is gone"]);
    }
}
