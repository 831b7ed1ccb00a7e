//! What a repair must leave as it is: to turn something off is no recovery.

use std::collections::BTreeMap;

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
    /// The web ACL in front of the balancer; none where there is none.
    web_acl: Option<WebAcl>,
}

/// A web ACL, as far as it guards.
#[derive(Clone, Debug, PartialEq, Eq)]
struct WebAcl {
    arn: String,
    /// Whether each rule blocks what it matches, by the rule's name.
    blocks: BTreeMap<String, bool>,
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
        match (&self.web_acl, &before.web_acl) {
            (Some(now), Some(before)) if now.arn == before.arn => reasons.extend(now.broken(before)),
            (None, Some(_)) => reasons.push("no web ACL stands in front of the balancer".to_owned()),
            (Some(now), Some(_)) => {
                reasons.push(format!("another web ACL stands in front of the balancer: {}", now.arn))
            }
            (_, None) => {}
        }
        reasons
    }
}

impl WebAcl {
    /// Rules that are gone, or let through what they blocked before. To let a rule count that counted before is a repair.
    fn broken(&self, before: &Self) -> Vec<String> {
        let weaker = before.blocks.iter().filter_map(|(name, blocked)| match self.blocks.get(name) {
            None => Some(format!("the web ACL's rule {name} is gone")),
            Some(false) if *blocked => Some(format!("the web ACL's rule {name} no longer blocks")),
            Some(_) => None,
        });
        weaker.collect()
    }

    fn of(acl: &aws_sdk_wafv2::types::WebAcl) -> Self {
        let blocks = acl.rules().iter().map(|rule| {
            let by_itself = rule.action().is_some_and(|action| action.block().is_some());
            // A group's own actions hold where nothing overrides them.
            let by_group = rule.override_action().is_some_and(|action| action.none().is_some());
            (rule.name().to_owned(), by_itself || by_group)
        });
        Self { arn: acl.arn().to_owned(), blocks: blocks.collect() }
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
    let arn = balancer.load_balancer_arn().unwrap_or_default();
    let web_acl = lab.clients.wafv2.get_web_acl_for_resource().resource_arn(arn).send().await;
    let web_acl = web_acl.map_err(|error| AwsError::from_sdk("wafv2:GetWebACLForResource")(error).to_string())?.web_acl;
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
            web_acl: web_acl.as_ref().map(WebAcl::of),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_tasks_wider_groups_and_a_weaker_web_acl_are_no_repair() {
        let acl = |arn: &str, blocks: &[(&str, bool)]| {
            let blocks = blocks.iter().map(|(name, blocks)| ((*name).to_owned(), *blocks)).collect();
            Some(WebAcl { arn: arn.to_owned(), blocks })
        };
        let before = Guard {
            desired: 2,
            task_groups: vec!["sg-1".into()],
            balancer_groups: vec!["sg-2".into()],
            web_acl: acl("arn:acl", &[("common", true), ("rate", false)]),
        };
        assert_eq!(before.broken(&before), Vec::<String>::new());
        let stronger =
            Guard { desired: 3, web_acl: acl("arn:acl", &[("common", true), ("rate", true)]), ..before.clone() };
        assert_eq!(stronger.broken(&before), Vec::<String>::new(), "more tasks and stricter rules are no cheat");
        assert_eq!(before.broken(&stronger)[1..], ["the web ACL's rule rate no longer blocks"]);
        assert_eq!(Guard { desired: 0, ..before.clone() }.broken(&before), ["the service wants 0 tasks, not 2"]);
        let open = Guard { web_acl: None, task_groups: vec!["sg-open".into()], ..before.clone() };
        assert_eq!(
            open.broken(&before),
            ["the tasks' security groups are sg-open", "no web ACL stands in front of the balancer"]
        );
        let emptied = Guard { web_acl: acl("arn:acl", &[("rate", false)]), ..before.clone() };
        assert_eq!(emptied.broken(&before), ["the web ACL's rule common is gone"]);
        let other = Guard { web_acl: acl("arn:other", &[]), ..before.clone() };
        assert_eq!(other.broken(&before), ["another web ACL stands in front of the balancer: arn:other"]);
    }
}
