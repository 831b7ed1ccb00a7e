//! AWS STS: who am I. A task's credentials are the task's role; any other key is the person at the laptop.

use std::{future::Future, pin::Pin, sync::Arc};

use twin_ecs::Ecs;
use twin_platform::{Account, AwsError, Request, Response, Service};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The service with SigV4 scope `sts`.
pub(crate) struct Sts {
    account: Account,
    ecs: Arc<Ecs>,
}

impl Sts {
    pub(crate) fn new(account: Account, ecs: Arc<Ecs>) -> Self {
        Self { account, ecs }
    }

    /// ARN and user id of the caller.
    fn caller(&self, key: &str) -> (String, String) {
        let (account, task) = (&self.account.id, self.ecs.credentials_of(key));
        match task {
            Some(task) => {
                let role = task.role_arn.rsplit('/').next().unwrap_or_default();
                (
                    format!("arn:aws:sts::{account}:assumed-role/{role}/{}", task.task_id),
                    format!("AROA{role}:{}", task.task_id),
                )
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
        let (arn, user_id) = self.caller(access_key(authorization));
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

/// The access key in an `Authorization` header.
fn access_key(authorization: &str) -> &str {
    let credential = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
    credential.split('/').next().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_key_is_the_first_part_of_the_scope() {
        assert_eq!(access_key("AWS4-HMAC-SHA256 Credential=ASIA1/20261120/us-east-1/sts/aws4_request, X"), "ASIA1");
        assert_eq!(access_key(""), "");
    }
}
