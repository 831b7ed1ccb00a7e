//! PutScalingPolicy: checks everything first, then makes the alarms, then the policy.

mod check;

use serde::Deserialize;
use serde_json::json;
use twin_platform::{AwsError, now_ms};

use super::{
    Answer,
    input::{Named, no_target, none_of, required, validation, violated},
    policies::alarms,
};
use crate::{
    AutoScaling,
    policy::{Kind, Policy, StepScaling, TargetTracking},
};

/// Policies of a target, step and target tracking together ("Quotas for Application Auto Scaling").
const MOST_POLICIES: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    #[serde(flatten)]
    named: Named,
    policy_name: Option<String>,
    policy_type: Option<String>,
    step_scaling_policy_configuration: Option<StepScaling>,
    target_tracking_scaling_policy_configuration: Option<TargetTracking>,
}

/// The settings that were given.
enum Given {
    Step(StepScaling),
    Tracking(TargetTracking),
}

pub(super) async fn put(scaling: &AutoScaling, input: Put) -> Answer {
    let place = input.named.whole()?;
    let name = required("policyName", input.policy_name.as_deref())?.to_owned();
    if name.chars().count() > 256 || name.chars().any(char::is_control) {
        return Err(violated("policyName", &format!("'{name}'"), "satisfy regular expression pattern: \\p{Print}+"));
    }
    let mut state = scaling.state.lock().await;
    let known = state.targets.get(&place).and_then(|target| target.policies.get(&name));
    let kind = match (input.policy_type.as_deref(), known) {
        (Some(kind), _) => kind.to_owned(),
        (None, Some(known)) => known.kind.name().to_owned(),
        (None, None) => return Err(violated("policyType", "null", "not be null")),
    };
    let given = match kind.as_str() {
        "StepScaling" => Given::Step(check::step(
            input.step_scaling_policy_configuration,
            input.target_tracking_scaling_policy_configuration.is_some(),
        )?),
        "TargetTrackingScaling" => Given::Tracking(check::tracking(
            input.target_tracking_scaling_policy_configuration,
            input.step_scaling_policy_configuration.is_some(),
        )?),
        "PredictiveScaling" => {
            return Err(AwsError::not_implemented(
                "application-autoscaling",
                "PutScalingPolicy with PredictiveScaling",
            ));
        }
        other => {
            return Err(none_of("policyType", other, &["StepScaling", "TargetTrackingScaling", "PredictiveScaling"]));
        }
    };
    let target = state.targets.get_mut(&place).ok_or_else(|| no_target(&place))?;
    let known = target.policies.get(&name);
    if known.is_none() && target.policies.len() >= MOST_POLICIES {
        let message = format!("The maximum of {MOST_POLICIES} scaling policies of the scalable target is reached");
        return Err(AwsError::client("LimitExceededException", message));
    }
    if known.is_some_and(|known| known.kind.name() != kind) {
        return Err(validation("The policy type of a scaling policy cannot be changed"));
    }
    let arn = known.map_or_else(
        || {
            let path = format!("scalingPolicy:{}:resource/ecs/{place}:policyName/{name}", target.id);
            scaling.account.arn("autoscaling", &path)
        },
        |known| known.arn.clone(),
    );
    let kind = match given {
        Given::Step(step) => Kind::Step(step),
        Given::Tracking(settings) => {
            check::attached(scaling, &place, &settings).await?;
            let known = match known.map(|known| &known.kind) {
                Some(Kind::Tracking(tracking)) => Some(&**tracking),
                _ => None,
            };
            Kind::Tracking(Box::new(scaling.put_alarms(&place, &arn, &settings, known).await?))
        }
    };
    let created_ms = known.map_or_else(now_ms, |known| known.created_ms);
    target.policies.insert(name.clone(), Policy { name, arn: arn.clone(), kind, created_ms });
    let alarms = alarms(scaling, &arn).await?;
    Ok(json!({ "PolicyARN": arn, "Alarms": alarms }))
}
