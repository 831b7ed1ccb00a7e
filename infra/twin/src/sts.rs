//! AWS STS: who am I. A task's credentials are the task's role; any other key is the person at the laptop.

use std::{future::Future, pin::Pin, sync::Arc};

use twin_ecs::Ecs;
use twin_iam::Iam;
use twin_platform::{Account, AwsError, Request, Response, Service};

use crate::call::credential;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The service with SigV4 scope `sts`.
pub(crate) struct Sts {
    account: Account,
    ecs: Arc<Ecs>,
    iam: Arc<Iam>,
}

impl Sts {
    pub(crate) fn new(account: Account, ecs: Arc<Ecs>, iam: Arc<Iam>) -> Self {
        Self { account, ecs, iam }
    }

    /// ARN and user id of the caller.
    fn caller(&self, key: &str) -> (String, String) {
        let (account, task) = (&self.account.id, self.ecs.credentials_of(key));
        match task {
            Some(task) => {
                let id = self.iam.role_id(&task.role_arn).unwrap_or_default();
                (self.iam.session_arn(&task.role_arn, &task.task_id), format!("{id}:{}", task.task_id))
            }
            None => (format!("arn:aws:iam::{account}:user/lab"), "AIDALAB".into()),
        }
    }

    fn answer(&self, request: &Request) -> Result<String, AwsError> {
        let form = String::from_utf8_lossy(&request.body);
        let query = winterbaume_core::extract_query_string(&request.uri);
        let parameters = winterbaume_core::parse_query_string(&format!("{query}&{form}"));
        let action = parameters.get("Action").map(String::as_str).unwrap_or_default();
        if action != "GetCallerIdentity" {
            return Err(AwsError::not_implemented("sts", action));
        }
        let authorization =
            request.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let key = credential(authorization, query).map(|(key, _)| key).unwrap_or_default();
        let (arn, user_id) = self.caller(&key);
        let escape = winterbaume_core::xml_escape;
        Ok(format!(
            r#"<GetCallerIdentityResponse xmlns="{NAMESPACE}"><GetCallerIdentityResult><Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#,
            escape(&arn),
            escape(&user_id),
            self.account.id,
            uuid::Uuid::new_v4(),
        ))
    }
}

impl Service for Sts {
    fn service_name(&self) -> &str {
        "sts"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://sts\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        let answer = self.answer(&request);
        Box::pin(async move {
            match answer {
                Ok(body) => Response::xml(200, body),
                Err(error) => error.xml(),
            }
        })
    }
}
