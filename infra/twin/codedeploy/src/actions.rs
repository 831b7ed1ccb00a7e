//! The CodeDeploy API: which actions there are, and how a request finds its function. AWS JSON 1.1.
//!
//! Every action that is not in the table below is refused as not implemented, by name.

mod applications;
mod configs;
mod continuing;
mod deployments;
mod groups;
mod reading;
mod targets;

use std::sync::Arc;

use http::{HeaderValue, header::CONTENT_TYPE};
use twin_platform::{
    AwsError, Request, Response,
    json::{read, write},
};

use crate::core::Core;

const TARGET_PREFIX: &str = "CodeDeploy_20141006.";

/// Answers one request.
pub(crate) async fn handle(core: &Arc<Core>, request: Request) -> Response {
    let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.strip_prefix(TARGET_PREFIX).unwrap_or_default().to_owned();
    let mut response = match dispatch(core, &action, &request.body).await {
        Ok(body) => Response::json(200, body),
        Err(error) => error.json(),
    };
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    response
}

async fn dispatch(core: &Arc<Core>, action: &str, body: &[u8]) -> Result<Vec<u8>, AwsError> {
    match action {
        "BatchGetApplications" => write(&applications::batch_get(core, read(body)?)?),
        "CreateApplication" => write(&applications::create(core, read(body)?)?),
        "DeleteApplication" => applications::delete(core, read(body)?).map(nothing),
        "GetApplication" => write(&applications::get(core, read(body)?)?),
        "ListApplications" => write(&applications::list(core, read(body)?)?),

        "CreateDeploymentConfig" => write(&configs::create(core, read(body)?)?),
        "DeleteDeploymentConfig" => configs::delete(core, read(body)?).map(nothing),
        "GetDeploymentConfig" => write(&configs::get(core, read(body)?)?),
        "ListDeploymentConfigs" => write(&configs::list(core, read(body)?)?),

        "BatchGetDeploymentGroups" => write(&groups::batch_get(core, read(body)?)?),
        "CreateDeploymentGroup" => write(&groups::create(core, read(body)?).await?),
        "DeleteDeploymentGroup" => write(&groups::delete(core, read(body)?)?),
        "GetDeploymentGroup" => write(&groups::get(core, read(body)?)?),
        "ListDeploymentGroups" => write(&groups::list(core, read(body)?)?),
        "UpdateDeploymentGroup" => write(&groups::update(core, read(body)?).await?),

        "BatchGetDeployments" => write(&reading::batch_get(core, read(body)?)?),
        "ContinueDeployment" => continuing::go_on(core, read(body)?).map(nothing),
        "CreateDeployment" => write(&deployments::create(core, read(body)?).await?),
        "GetDeployment" => write(&reading::get(core, read(body)?)?),
        "ListDeployments" => write(&reading::list(core, read(body)?)?),
        "StopDeployment" => write(&continuing::stop(core, read(body)?)?),

        "BatchGetDeploymentTargets" => write(&targets::batch_get(core, read(body)?)?),
        "GetDeploymentTarget" => write(&targets::get(core, read(body)?)?),
        "ListDeploymentTargets" => write(&targets::list(core, read(body)?)?),

        "" => Err(AwsError::client("UnknownOperationException", "X-Amz-Target names no action of CodeDeploy_20141006")),
        other => Err(AwsError::not_implemented("codedeploy", other)),
    }
}

/// An action without output answers an empty body.
fn nothing((): ()) -> Vec<u8> {
    Vec::new()
}

/// Lists are short enough for one page.
fn no_page(token: Option<&String>) -> Result<(), AwsError> {
    match token {
        None => Ok(()),
        Some(_) => {
            Err(AwsError::client("InvalidNextTokenException", "The next token was specified in an invalid format."))
        }
    }
}

/// 1 to 100 letters, digits and `._+=,@-`.
fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._+=,@-".contains(&byte);
    (1..=100).contains(&name.len()) && name.bytes().all(letter)
}

fn refuse(given: bool, what: &str) -> Result<(), AwsError> {
    if given { Err(AwsError::not_implemented("codedeploy", what)) } else { Ok(()) }
}
