//! Asking the ready-made service by its own API.

use serde_json::Value;
use twin_platform::{AwsError, Request, Service};

use super::SecretsManager;

impl SecretsManager {
    /// One action of the ready-made service. A secret's ARN may lack its random suffix, as AWS allows.
    pub(super) async fn ask(&self, action: &str, mut input: Value) -> Result<Value, AwsError> {
        let answer = self.ask_once(action, &input).await;
        let arn = input["SecretId"].as_str().filter(|id| id.starts_with("arn:"));
        match (answer, arn.and_then(|arn| arn.split_once(":secret:"))) {
            (Err(error), Some((_, name))) if error.code == "ResourceNotFoundException" => {
                let name = name.to_owned();
                input["SecretId"] = name.into();
                // The first error names the resource as the caller did.
                self.ask_once(action, &input)
                    .await
                    .map_err(|second| if second.code == "ResourceNotFoundException" { error } else { second })
            }
            (answer, _) => answer,
        }
    }

    async fn ask_once(&self, action: &str, input: &Value) -> Result<Value, AwsError> {
        let mut headers = winterbaume_core::MockResponse::json(200, "").headers;
        let target = format!("secretsmanager.{action}").parse();
        headers.insert("x-amz-target", target.map_err(|_| AwsError::not_implemented("secretsmanager", "?"))?);
        let request = Request {
            method: "POST".into(),
            // The ready-made services read the region from the host name.
            uri: format!("https://secretsmanager.{}.amazonaws.com/", self.account.region),
            headers,
            body: input.to_string().into(),
        };
        let response = self.inner.handle(request).await;
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if response.status == 200 {
            return Ok(body);
        }
        Err(AwsError {
            status: response.status,
            code: body["__type"].as_str().unwrap_or("InternalServiceError").to_owned(),
            message: body["message"].as_str().unwrap_or_default().to_owned(),
        })
    }
}
