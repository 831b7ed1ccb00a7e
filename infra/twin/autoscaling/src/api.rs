//! The API: which actions there are. Every action that is not in the table below is refused as not implemented, by name.

mod activities;
mod input;
mod page;
mod policies;
mod put_policy;
mod tags;
mod targets;

use serde_json::Value;
use twin_platform::{AwsError, Request, Response, json::read};

use crate::AutoScaling;

type Answer = Result<Value, AwsError>;

/// Answers one request in the AWS JSON 1.1 protocol.
pub(crate) async fn answer(scaling: &AutoScaling, request: Request) -> Response {
    let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.rsplit('.').next().unwrap_or_default();
    match dispatch(scaling, action, &request.body).await {
        Ok(output) => Response::json(200, output.to_string()),
        Err(error) => {
            tracing::debug!(action, %error, "refused");
            error.json()
        }
    }
}

async fn dispatch(scaling: &AutoScaling, action: &str, body: &[u8]) -> Answer {
    match action {
        "DeregisterScalableTarget" => targets::deregister(scaling, read(body)?).await,
        "DescribeScalableTargets" => targets::describe(scaling, read(body)?).await,
        "RegisterScalableTarget" => targets::register(scaling, read(body)?).await,

        "DeleteScalingPolicy" => policies::delete(scaling, read(body)?).await,
        "DescribeScalingPolicies" => policies::describe(scaling, read(body)?).await,
        "PutScalingPolicy" => put_policy::put(scaling, read(body)?).await,

        "DescribeScalingActivities" => activities::describe(scaling, read(body)?).await,

        "ListTagsForResource" => tags::list(scaling, read(body)?).await,
        "TagResource" => tags::tag(scaling, read(body)?).await,
        "UntagResource" => tags::untag(scaling, read(body)?).await,

        _ => Err(AwsError::not_implemented("application-autoscaling", action)),
    }
}
