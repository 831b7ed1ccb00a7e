//! The ECS API: which actions there are, and how a request finds its function.
//!
//! Every action that is not in the table below is refused as not implemented, by name.

mod clusters;
mod configuration;
mod controller;
mod definition_rules;
mod definitions;
mod input;
mod service_deployments;
mod service_input;
mod services;
mod tags;
mod task_sets;
mod tasks;
mod update_service;

use std::sync::Arc;

use http::{HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;
use twin_platform::{AwsError, Request, Response, json::read};

use crate::core::Core;

/// Answers one request in the AWS JSON 1.1 protocol.
pub(crate) async fn answer(core: &Arc<Core>, request: Request) -> Response {
    let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.rsplit('.').next().unwrap_or_default().to_owned();
    let mut response = match dispatch(core, &action, &request.body).await {
        Ok(body) => Response::json(200, body),
        Err(error) => {
            tracing::debug!(action, %error, "refused");
            error.json()
        }
    };
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    response
}

async fn dispatch(core: &Arc<Core>, action: &str, body: &[u8]) -> Result<Vec<u8>, AwsError> {
    match action {
        "CreateCluster" => written(clusters::create(core, read(body)?)),
        "DeleteCluster" => written(clusters::delete(core, read(body)?)),
        "DescribeClusters" => written(clusters::describe(core, read(body)?)),
        "ListClusters" => written(clusters::list(core, read(body)?)),

        "DeregisterTaskDefinition" => written(definitions::deregister(core, read(body)?)),
        "DescribeTaskDefinition" => written(definitions::describe(core, read(body)?)),
        "ListTaskDefinitionFamilies" => written(definitions::list_families(core, read(body)?)),
        "ListTaskDefinitions" => written(definitions::list(core, read(body)?)),
        "RegisterTaskDefinition" => written(definitions::register(core, read(body)?)),

        "CreateService" => written(services::create(core, read(body)?).await),
        "DeleteService" => written(services::delete(core, read(body)?)),
        "DescribeServices" => written(services::describe(core, read(body)?)),
        "ListServices" => written(services::list(core, read(body)?)),
        "UpdateService" => written(update_service::update(core, read(body)?).await),

        "DescribeServiceDeployments" => written(service_deployments::describe(core, read(body)?)),
        "DescribeServiceRevisions" => written(service_deployments::revisions(core, read(body)?)),
        "ListServiceDeployments" => written(service_deployments::list(core, read(body)?)),
        "StopServiceDeployment" => written(service_deployments::stop(core, read(body)?)),

        "CreateTaskSet" => written(task_sets::create(core, read(body)?).await),
        "DeleteTaskSet" => written(task_sets::delete(core, read(body)?)),
        "DescribeTaskSets" => written(task_sets::describe(core, read(body)?)),
        "UpdateServicePrimaryTaskSet" => written(task_sets::update_primary(core, read(body)?)),
        "UpdateTaskSet" => written(task_sets::update(core, read(body)?)),

        "DescribeTasks" => written(tasks::describe(core, read(body)?)),
        "ListTasks" => written(tasks::list(core, read(body)?)),
        "RunTask" => written(tasks::run(core, read(body)?)),
        "StopTask" => written(tasks::stop(core, read(body)?)),

        "ListTagsForResource" => written(tags::list(core, read(body)?)),
        "TagResource" => written(tags::tag(core, read(body)?)),
        "UntagResource" => written(tags::untag(core, read(body)?)),

        _ => Err(AwsError::not_implemented("ecs", action)),
    }
}

fn written<T: Serialize>(answer: Result<T, AwsError>) -> Result<Vec<u8>, AwsError> {
    serde_json::to_vec(&answer?).map_err(|error| AwsError {
        status: 500,
        code: "ServerException".into(),
        message: format!("the answer could not be written: {error}"),
    })
}
