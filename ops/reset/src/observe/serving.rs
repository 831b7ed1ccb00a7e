//! Which target group of a service gets the traffic. Blue and green take turns, so the group that a deployment configures, and
//! a name that somebody noted before the last one, may be the idle one's.

use aws_sdk_ecs::types::Service as EcsService;
use aws_sdk_elasticloadbalancingv2::types::{Action, TargetGroupTuple};
use serde::Serialize;

use crate::{AwsError, Clients};

/// The serving group of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Serving {
    /// Its ARN; none where the service hangs on no balancer.
    #[serde(rename = "target_group_arn")]
    pub arn: Option<String>,
    /// Whether it takes turns with another one.
    #[serde(skip)]
    pub by_turns: bool,
}

/// Reads it.
///
/// # Errors
/// When AWS refuses to tell the production rule.
pub async fn read(clients: &Clients, service: &EcsService) -> Result<Serving, AwsError> {
    let primary = service.task_sets().iter().filter(|set| set.status() == Some("PRIMARY"));
    if let Some(arn) = primary.flat_map(|set| set.load_balancers()).find_map(|it| it.target_group_arn()) {
        return Ok(Serving { arn: Some(arn.to_owned()), by_turns: true });
    }
    let Some(balancer) = service.load_balancers().iter().find(|it| it.target_group_arn().is_some()) else {
        return Ok(Serving::default());
    };
    let configured = balancer.target_group_arn().map(ToOwned::to_owned);
    let turns = balancer.advanced_configuration();
    let Some(rule) = turns.and_then(|turns| turns.production_listener_rule()) else {
        return Ok(Serving { arn: configured, by_turns: false });
    };
    let described = clients.elbv2.describe_rules().rule_arns(rule).send().await;
    let rules = described.map_err(AwsError::from_sdk("elasticloadbalancing:DescribeRules"))?.rules.unwrap_or_default();
    let heaviest = rules.iter().flat_map(|rule| rule.actions()).find_map(heaviest);
    Ok(Serving { arn: heaviest.or(configured), by_turns: true })
}

/// The group that gets most of what the action forwards.
fn heaviest(action: &Action) -> Option<String> {
    let groups = action.forward_config().map(|forward| forward.target_groups()).unwrap_or_default();
    let heaviest = groups.iter().filter(|group| weight(group) > 0).max_by_key(|group| weight(group));
    heaviest.and_then(|group| group.target_group_arn()).or(action.target_group_arn()).map(ToOwned::to_owned)
}

/// A group that stands alone need not say its weight.
fn weight(group: &TargetGroupTuple) -> i32 {
    group.weight().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticloadbalancingv2::types::ForwardActionConfig;

    #[test]
    fn the_group_with_the_greatest_weight_serves() {
        let group = |arn: &str, weight| TargetGroupTuple::builder().target_group_arn(arn).set_weight(weight).build();
        let action = |groups| {
            let forward = ForwardActionConfig::builder().set_target_groups(Some(groups)).build();
            Action::builder().forward_config(forward).build()
        };
        for (groups, serving) in [
            (vec![group("blue", Some(0)), group("green", Some(100))], Some("green")),
            (vec![group("blue", Some(90)), group("green", Some(10))], Some("blue")),
            (vec![group("blue", None)], Some("blue")),
            (vec![group("blue", Some(0))], None),
        ] {
            assert_eq!(heaviest(&action(groups)).as_deref(), serving);
        }
        assert_eq!(heaviest(&Action::builder().target_group_arn("blue").build()).as_deref(), Some("blue"));
    }
}
