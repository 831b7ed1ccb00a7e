//! Scaling policies: describe and delete.

use serde::Deserialize;
use serde_json::{Value, json};
use twin_platform::AwsError;

use super::{
    Answer,
    input::{Named, not_found, required},
    page::Paging,
};
use crate::{
    AutoScaling,
    activity::epoch_s,
    policy::{Kind, Policy},
    target::{DIMENSION, NAMESPACE, Place},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    #[serde(flatten)]
    named: Named,
    policy_name: Option<String>,
}

/// The alarms of target tracking go with it; an alarm that somebody made for a step policy stays.
pub(super) async fn delete(scaling: &AutoScaling, input: Delete) -> Answer {
    let place = input.named.whole()?;
    let name = required("policyName", input.policy_name.as_deref())?;
    let mut state = scaling.state.lock().await;
    let missing = || not_found("scaling policy", &place);
    let target = state.targets.get_mut(&place).ok_or_else(missing)?;
    let policy = target.policies.get(name).ok_or_else(missing)?;
    if let Kind::Tracking(tracking) = &policy.kind {
        scaling.delete_alarms(std::iter::once(tracking.high.as_str()).chain(tracking.low.as_deref())).await?;
    }
    target.policies.remove(name);
    Ok(json!({}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Describe {
    #[serde(flatten)]
    named: Named,
    policy_names: Option<Vec<String>>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) async fn describe(scaling: &AutoScaling, input: Describe) -> Answer {
    let asked_place = input.named.filter()?;
    let names = input.policy_names.unwrap_or_default();
    let state = scaling.state.lock().await;
    let places = state.targets.iter().filter(|(place, _)| asked_place.as_ref().is_none_or(|asked| asked == *place));
    let policies = places.flat_map(|(place, target)| target.policies.values().map(move |policy| (place, policy)));
    let asked = policies.filter(|(_, policy)| names.is_empty() || names.contains(&policy.name));
    let (page, token) = input.paging.cut(asked.collect())?;
    let mut policies = Vec::new();
    for (place, policy) in page {
        policies.push(wire(scaling, place, policy).await?);
    }
    let mut answer = json!({ "ScalingPolicies": policies });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    Ok(answer)
}

async fn wire(scaling: &AutoScaling, place: &Place, policy: &Policy) -> Answer {
    let mut wire = json!({
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": place.to_string(),
        "ScalableDimension": DIMENSION,
        "PolicyType": policy.kind.name(),
        "Alarms": alarms(scaling, &policy.arn).await?,
        "CreationTime": epoch_s(policy.created_ms),
    });
    match &policy.kind {
        Kind::Step(step) => wire["StepScalingPolicyConfiguration"] = json!(step),
        Kind::Tracking(tracking) => wire["TargetTrackingScalingPolicyConfiguration"] = json!(tracking.settings),
    }
    Ok(wire)
}

/// The alarms that name the policy: for target tracking its own, for step scaling those that somebody made.
pub(super) async fn alarms(scaling: &AutoScaling, policy_arn: &str) -> Result<Vec<Value>, AwsError> {
    let failed = |error: AwsError| AwsError::client("FailedResourceAccessException", error.to_string());
    let alarms = scaling.alarms_of(policy_arn).await.map_err(failed)?;
    let arn = |name: &str| scaling.account.arn("cloudwatch", &format!("alarm:{name}"));
    Ok(alarms.iter().map(|(name, _)| json!({ "AlarmName": name, "AlarmARN": arn(name) })).collect())
}
