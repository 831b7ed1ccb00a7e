//! What a task may call: its key is its role's session, and the role's policies decide. Any other key is the administrator's.
//!
//! Promises: what is asked of the policies is the action and the resource that AWS's Service Authorization Reference names for
//! the call; a change of a policy acts on the next call; a denial comes in the words, code and status of the service that is called.

mod needs;
mod s3;

use std::sync::Arc;

use serde_json::json;
use twin_database::SecretsManager;
use twin_ecs::{Ecs, TaskCredentials};
use twin_iam::{Ask, Decision, Iam};
use twin_platform::{Account, AwsError, Request, Response};

use self::needs::Need;
pub(crate) use self::needs::parameter;
use crate::call::Call;

/// Who may do what.
pub(crate) struct Permission {
    account: Account,
    ecs: Arc<Ecs>,
    iam: Arc<Iam>,
    secrets: Arc<SecretsManager>,
}

impl Permission {
    pub(crate) fn new(account: Account, ecs: Arc<Ecs>, iam: Arc<Iam>, secrets: Arc<SecretsManager>) -> Self {
        Self { account, ecs, iam, secrets }
    }

    /// The task that signed the call.
    pub(crate) fn task_of(&self, call: &Call) -> Option<TaskCredentials> {
        self.ecs.credentials_of(call.access_key.as_deref()?)
    }

    /// Refuses what the task's role may not do.
    ///
    /// # Errors
    /// The denial, as the called service words it.
    pub(crate) async fn check(&self, task: &TaskCredentials, call: &Call, request: &Request) -> Result<(), AwsError> {
        for need in self.needs(call, request).await {
            self.authorize(task, &need).map_err(|denial| worded(call, denial))?;
        }
        Ok(())
    }

    /// The collector beside a task sends its spans on as the task's role. A sender that is no task of ours is the operator.
    pub(crate) fn may_send_spans(&self, task_arn: &str) -> bool {
        let Some(task) = self.ecs.credentials_of_task(task_arn) else { return true };
        let sent = self.authorize(&task, &Need::new("xray:PutTraceSegments", "*"));
        if let Err(denial) = &sent {
            tracing::warn!(%denial, "spans were dropped");
        }
        sent.is_ok()
    }

    async fn needs(&self, call: &Call, request: &Request) -> Vec<Need> {
        match call.service.as_str() {
            "s3" => s3::needs(request),
            "secretsmanager" => vec![needs::of_secret(call, &self.account, self.secret_arn(request).await)],
            _ => needs::of(call, request, &self.account),
        }
    }

    /// A secret has six random letters in its ARN, which a caller need not know.
    async fn secret_arn(&self, request: &Request) -> Option<String> {
        let input: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
        let named = input["SecretId"].as_str().or(input["Name"].as_str())?;
        Some(secret(&self.secrets, &self.account, named).await)
    }

    fn authorize(&self, task: &TaskCredentials, need: &Need) -> Result<(), AwsError> {
        self.iam.authorize(&need.ask(task))
    }

    /// S3 says that an object is missing only to those who may list its bucket ("GetObject" in the S3 API reference).
    pub(crate) fn told(&self, task: &TaskCredentials, call: &Call, request: &Request, answer: Response) -> Response {
        if call.service != "s3" || answer.status != 404 {
            return answer;
        }
        let Some(list) = s3::list_of_missing(request) else { return answer };
        match self.iam.decide(&list.ask(task)) {
            Decision::Allowed => answer,
            _ => match self.authorize(task, &list) {
                Err(denial) => call.shape.render(&worded(call, denial)),
                Ok(()) => answer,
            },
        }
    }
}

/// The whole ARN of a secret that is named by name, ARN, or ARN without its random letters.
pub(crate) async fn secret(secrets: &SecretsManager, account: &Account, named: &str) -> String {
    let described = secrets.answer("DescribeSecret", json!({ "SecretId": named })).await.ok();
    let arn = described.and_then(|secret| secret["ARN"].as_str().map(str::to_owned));
    arn.unwrap_or_else(|| match named.starts_with("arn:") {
        true => named.to_owned(),
        false => account.arn("secretsmanager", &format!("secret:{named}")),
    })
}

impl Need {
    fn ask<'a>(&'a self, task: &'a TaskCredentials) -> Ask<'a> {
        Ask {
            role_arn: &task.role_arn,
            session: &task.task_id,
            action: &self.action,
            resource: &self.resource,
            facts: &self.facts,
        }
    }
}

/// The code and status that the service has for a denial.
fn worded(call: &Call, mut denial: AwsError) -> AwsError {
    (denial.code, denial.status) = match call.service.as_str() {
        "sns" => ("AuthorizationError".to_owned(), 403),
        "s3" | "elasticloadbalancing" | "iam" | "monitoring" | "rds" | "sqs" | "sts" => {
            ("AccessDenied".to_owned(), 403)
        }
        "xray" => (denial.code, 403),
        _ => (denial.code, 400),
    };
    denial
}
