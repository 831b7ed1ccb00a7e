//! Scalable targets: register, deregister, describe.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use twin_platform::now_ms;

use super::{
    Answer,
    input::{Named, not_found, validation},
    page::Paging,
    tags,
};
use crate::{
    AutoScaling,
    activity::epoch_s,
    counts,
    policy::Kind,
    target::{DIMENSION, NAMESPACE, Place, Suspend, Suspended, Target},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Register {
    #[serde(flatten)]
    named: Named,
    min_capacity: Option<i64>,
    max_capacity: Option<i64>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    suspended_state: Option<Suspend>,
    tags: Option<BTreeMap<String, String>>,
}

/// Registers or updates, and brings the capacity of the service into the bounds.
pub(super) async fn register(scaling: &AutoScaling, input: Register) -> Answer {
    let place = input.named.whole()?;
    let mut state = scaling.state.lock().await;
    let known = state.targets.get(&place);
    let bound = |given: Option<i64>, known: Option<i64>, member: &str| {
        let missing = || validation(format!("{member} must be specified when registering a new scalable target"));
        given.or(known).ok_or_else(missing)
    };
    let minimum = bound(input.min_capacity, known.map(|known| known.minimum), "MinCapacity")?;
    let maximum = bound(input.max_capacity, known.map(|known| known.maximum), "MaxCapacity")?;
    if minimum < 0 || maximum < 0 {
        return Err(validation("Minimum and maximum capacity must be greater than or equal to 0"));
    }
    if maximum < minimum {
        return Err(validation("Maximum capacity cannot be less than minimum capacity"));
    }
    if known.is_some() && input.tags.is_some() {
        return Err(validation(
            "Tags can be specified only when registering a new scalable target; use TagResource to tag one that exists.",
        ));
    }
    let tags = input.tags.unwrap_or_default();
    tags::check(&tags)?;
    let Some(service) = scaling.service(&place).await? else {
        return Err(validation(format!("ECS service doesn't exist: {place}")));
    };
    let target = match state.targets.entry(place.clone()) {
        std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
        std::collections::btree_map::Entry::Vacant(free) => free.insert(fresh(scaling, tags)),
    };
    (target.minimum, target.maximum) = (minimum, maximum);
    target.role_arn = input.role_arn.unwrap_or_else(|| target.role_arn.clone());
    target.suspended = target.suspended.with(input.suspended_state.unwrap_or_default());
    let arn = target.arn.clone();
    let capacity = counts(&service).0;
    let moved = match capacity {
        _ if capacity < minimum => Some((minimum, format!("minimum capacity was set to {minimum}"))),
        _ if capacity > maximum => Some((maximum, format!("maximum capacity was set to {maximum}"))),
        _ => None,
    };
    if let Some((desired, cause)) = moved
        && let Err(error) = scaling.set(&mut state, &place, &service, desired, cause).await
    {
        // The target is registered all the same; the activity tells what ECS said.
        tracing::warn!(%error, %place, "the capacity was not brought into the bounds");
    }
    Ok(json!({ "ScalableTargetARN": arn }))
}

fn fresh(scaling: &AutoScaling, tags: BTreeMap<String, String>) -> Target {
    let account = &scaling.account;
    let role =
        "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";
    let (id, short) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4().simple().to_string());
    Target {
        id: id.to_string(),
        arn: account.arn(crate::SCOPE, &format!("scalable-target/{}", &short[..24])),
        minimum: 0,
        maximum: 0,
        role_arn: format!("arn:aws:iam::{}:role/{role}", account.id),
        suspended: Suspended::default(),
        created_ms: now_ms(),
        tags,
        policies: BTreeMap::new(),
        cooldown: None,
    }
}

/// With the target go its policies, and their alarms.
pub(super) async fn deregister(scaling: &AutoScaling, input: Named) -> Answer {
    let place = input.whole()?;
    let mut state = scaling.state.lock().await;
    let Some(target) = state.targets.get(&place) else { return Err(not_found("scalable target", &place)) };
    let alarms: Vec<&str> = target
        .policies
        .values()
        .filter_map(|policy| match &policy.kind {
            Kind::Tracking(tracking) => Some(tracking),
            Kind::Step(_) => None,
        })
        .flat_map(|tracking| std::iter::once(tracking.high.as_str()).chain(tracking.low.as_deref()))
        .collect();
    if !alarms.is_empty() {
        scaling.delete_alarms(alarms).await?;
    }
    state.targets.remove(&place);
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Describe {
    #[serde(flatten)]
    named: Named,
    resource_ids: Option<Vec<String>>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) async fn describe(scaling: &AutoScaling, input: Describe) -> Answer {
    input.named.namespace()?;
    if let Some(dimension) = input.named.scalable_dimension.as_deref() {
        super::input::dimension(dimension)?;
    }
    let ids = input.resource_ids.unwrap_or_default();
    let state = scaling.state.lock().await;
    let asked = state.targets.iter().filter(|(place, _)| ids.is_empty() || ids.contains(&place.to_string()));
    let (page, token) = input.paging.cut(asked.collect())?;
    let targets: Vec<Value> = page.into_iter().map(|(place, target)| wire(place, target)).collect();
    let mut answer = json!({ "ScalableTargets": targets });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    Ok(answer)
}

fn wire(place: &Place, target: &Target) -> Value {
    json!({
        "ServiceNamespace": NAMESPACE,
        "ResourceId": place.to_string(),
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": target.role_arn,
        "CreationTime": epoch_s(target.created_ms),
        "SuspendedState": target.suspended,
        "ScalableTargetARN": target.arn,
    })
}
