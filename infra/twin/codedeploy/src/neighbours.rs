//! The services that a deployment works with, as this crate sees them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use twin_platform::{AwsError, Request, Response, Service, json, seam::Routes};
use winterbaume_ecs::model::{self as ecs, TaskDefinition, TaskSet};

/// An ECS service: its cluster and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) cluster: String,
    pub(crate) service: String,
}

/// What a deployment asks of ECS, CloudWatch and S3.
#[async_trait]
pub(crate) trait Platform: Send + Sync {
    /// Elastic Load Balancing.
    fn routes(&self) -> &dyn Routes;
    /// The service, if it is there.
    async fn service(&self, place: &Place) -> Result<Option<ecs::Service>, AwsError>;
    async fn task_definition(&self, name: &str) -> Result<TaskDefinition, AwsError>;
    async fn create_task_set(&self, request: ecs::CreateTaskSetRequest) -> Result<TaskSet, AwsError>;
    /// The task sets of a service, those on their way out too.
    async fn task_sets(&self, place: &Place) -> Result<Vec<TaskSet>, AwsError>;
    async fn promote(&self, place: &Place, task_set: &str) -> Result<(), AwsError>;
    async fn delete_task_set(&self, place: &Place, task_set: &str) -> Result<(), AwsError>;
    /// Which of the alarms are in ALARM.
    async fn alarms(&self, names: &[String]) -> Result<Vec<String>, AwsError>;
    /// An object's bytes.
    async fn object(&self, bucket: &str, key: &str) -> Result<Bytes, AwsError>;
}

/// The services themselves, called by their own APIs.
pub struct Neighbours {
    /// Amazon ECS.
    pub ecs: Arc<dyn Service>,
    /// Elastic Load Balancing.
    pub routes: Arc<dyn Routes>,
    /// CloudWatch.
    pub monitoring: Arc<dyn Service>,
    /// Amazon S3.
    pub s3: Arc<dyn Service>,
}

#[derive(Deserialize)]
struct Services {
    #[serde(default)]
    services: Vec<ecs::Service>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Defined {
    task_definition: TaskDefinition,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneSet {
    task_set: TaskSet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sets {
    #[serde(default)]
    task_sets: Vec<TaskSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarms {
    #[serde(default)]
    metric_alarms: Vec<Alarm>,
    #[serde(default)]
    composite_alarms: Vec<Alarm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarm {
    alarm_name: String,
}

impl Neighbours {
    async fn ecs<T: DeserializeOwned>(&self, action: &str, input: &impl Serialize) -> Result<T, AwsError> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
        ask(&*self.ecs, &target, "application/x-amz-json-1.1", input).await
    }
}

#[async_trait]
impl Platform for Neighbours {
    fn routes(&self) -> &dyn Routes {
        &*self.routes
    }

    async fn service(&self, place: &Place) -> Result<Option<ecs::Service>, AwsError> {
        let input = json!({ "cluster": place.cluster, "services": [place.service] });
        let found: Services = self.ecs("DescribeServices", &input).await?;
        Ok(found.services.into_iter().find(|service| service.status.as_deref() == Some("ACTIVE")))
    }

    async fn task_definition(&self, name: &str) -> Result<TaskDefinition, AwsError> {
        let found: Defined = self.ecs("DescribeTaskDefinition", &json!({ "taskDefinition": name })).await?;
        Ok(found.task_definition)
    }

    async fn create_task_set(&self, request: ecs::CreateTaskSetRequest) -> Result<TaskSet, AwsError> {
        Ok(self.ecs::<OneSet>("CreateTaskSet", &request).await?.task_set)
    }

    async fn task_sets(&self, place: &Place) -> Result<Vec<TaskSet>, AwsError> {
        let input = json!({ "cluster": place.cluster, "service": place.service });
        Ok(self.ecs::<Sets>("DescribeTaskSets", &input).await?.task_sets)
    }

    async fn promote(&self, place: &Place, task_set: &str) -> Result<(), AwsError> {
        let input = json!({ "cluster": place.cluster, "service": place.service, "primaryTaskSet": task_set });
        self.ecs::<OneSet>("UpdateServicePrimaryTaskSet", &input).await.map(drop)
    }

    async fn delete_task_set(&self, place: &Place, task_set: &str) -> Result<(), AwsError> {
        let input = json!({ "cluster": place.cluster, "service": place.service, "taskSet": task_set, "force": true });
        self.ecs::<OneSet>("DeleteTaskSet", &input).await.map(drop)
    }

    async fn alarms(&self, names: &[String]) -> Result<Vec<String>, AwsError> {
        let input =
            json!({ "AlarmNames": names, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "StateValue": "ALARM" });
        let target = "GraniteServiceVersion20100801.DescribeAlarms";
        let found: Alarms = ask(&*self.monitoring, target, "application/x-amz-json-1.0", &input).await?;
        Ok(found.metric_alarms.into_iter().chain(found.composite_alarms).map(|alarm| alarm.alarm_name).collect())
    }

    async fn object(&self, bucket: &str, key: &str) -> Result<Bytes, AwsError> {
        let key: String = key.bytes().map(escaped).collect();
        let headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static("127.0.0.1"))]);
        let request = Request { method: "GET".into(), uri: format!("/{bucket}/{key}"), headers, body: Bytes::new() };
        let answer = self.s3.handle(request).await;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        Err(AwsError { status: answer.status, code: "NoSuchKey".into(), message: "The object does not exist.".into() })
    }
}

/// A byte of a path, with what is not plain in it escaped.
fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}

/// One call in an AWS JSON protocol.
async fn ask<T: DeserializeOwned>(
    service: &dyn Service,
    target: &str,
    kind: &'static str,
    input: &impl Serialize,
) -> Result<T, AwsError> {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(target) = HeaderValue::from_str(target) {
        headers.insert("x-amz-target", target);
    }
    let body = json::write(input)?.into();
    let answer = service.handle(Request { method: "POST".into(), uri: "/".into(), headers, body }).await;
    if answer.status == 200 { json::read(&answer.body) } else { Err(refusal(&answer)) }
}

/// The error that a neighbour answered.
fn refusal(answer: &Response) -> AwsError {
    #[derive(Default, Deserialize)]
    struct Body {
        #[serde(default, rename = "__type")]
        code: String,
        #[serde(default, alias = "Message")]
        message: String,
    }
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body.code.rsplit('#').next().unwrap_or_default().to_owned();
    AwsError { status: answer.status, code, message: body.message }
}
