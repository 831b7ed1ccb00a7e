//! AWS Secrets Manager: the ready-made service keeps the secrets, this one adds what makes them true.
//!
//! Promises: a version is created under the caller's `ClientRequestToken`; AWSPREVIOUS is on one version at most; RotateSecret
//! really changes the role's password in PostgreSQL, proves it by a log-in, and only then moves AWSCURRENT.
//! Refuses: binary secrets, replicas, resource policies, filters, and rotation of a secret that names another database.

mod describe;
mod inner;
mod rotation;
mod versions;

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use twin_platform::{Account, AwsError, Request, Response, Service};
use winterbaume_secretsmanager::SecretsManagerService;

use crate::Database;

/// The service with SigV4 scope `secretsmanager`.
pub struct SecretsManager {
    account: Account,
    inner: SecretsManagerService,
    database: Arc<Database>,
    /// What is known about the rotation of each secret, by ARN.
    rotations: Mutex<HashMap<String, rotation::Facts>>,
    /// Actions that look at the versions before they change them come one at a time.
    writes: tokio::sync::Mutex<()>,
}

impl SecretsManager {
    /// Secrets Manager that rotates the secrets of this database.
    pub fn new(account: Account, database: Arc<Database>) -> Arc<Self> {
        Arc::new(Self {
            account,
            inner: SecretsManagerService::new(),
            database,
            rotations: Mutex::default(),
            writes: tokio::sync::Mutex::default(),
        })
    }

    /// One action with its JSON input, as any client of the API would have it answered.
    ///
    /// # Errors
    /// As the Secrets Manager API reference has them, and "not implemented" for an action that is not imitated.
    pub async fn answer(&self, action: &str, input: Value) -> Result<Value, AwsError> {
        match action {
            "CreateSecret" => self.create(input).await,
            "PutSecretValue" => self.put(input).await,
            "UpdateSecret" => self.update(input).await,
            "RotateSecret" => self.rotate(input).await,
            "CancelRotateSecret" => self.cancel_rotation(input).await,
            "DescribeSecret" => self.describe(input).await,
            "ListSecrets" => self.list(input).await,
            "ListSecretVersionIds" => self.list_versions(input).await,
            "GetSecretValue" | "GetRandomPassword" => self.ask(action, input).await,
            "DeleteSecret" | "RestoreSecret" | "TagResource" | "UntagResource" | "UpdateSecretVersionStage" => {
                let _turn = self.writes.lock().await;
                self.ask(action, input).await
            }
            other => Err(AwsError::not_implemented("secretsmanager", other)),
        }
    }
}

impl Service for SecretsManager {
    fn service_name(&self) -> &str {
        "secretsmanager"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://secretsmanager\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let action = target.rsplit('.').next().unwrap_or_default();
            let answer = match serde_json::from_slice(&request.body) {
                Ok(input @ Value::Object(_)) => self.answer(action, input).await,
                _ => Err(AwsError::client("SerializationException", "The request body is not a JSON object.")),
            };
            match answer {
                Ok(output) => Response::json(200, output.to_string()),
                Err(error) => error.json(),
            }
        })
    }
}

/// A text member of the input.
fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, AwsError> {
    let found = input[member].as_str().filter(|text| !text.is_empty());
    found
        .ok_or_else(|| AwsError::client("InvalidParameterException", format!("You must provide a value for {member}.")))
}

/// The caller's idempotency token, which becomes the version's id; else a new one.
fn token(input: &Value) -> Result<String, AwsError> {
    match input["ClientRequestToken"].as_str() {
        None => Ok(uuid::Uuid::new_v4().to_string()),
        Some(token) if (32..=64).contains(&token.len()) => Ok(token.to_owned()),
        Some(token) => Err(AwsError::client(
            "InvalidParameterException",
            format!("ClientRequestToken must be 32-64 characters long, not {}.", token.len()),
        )),
    }
}
