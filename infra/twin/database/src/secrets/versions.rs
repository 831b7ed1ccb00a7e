//! CreateSecret, PutSecretValue and UpdateSecret: versions under the caller's token, staging labels as AWS moves them.

use serde_json::{Value, json};
use twin_platform::AwsError;

use super::{SecretsManager, text, token};

impl SecretsManager {
    pub(super) async fn create(&self, mut input: Value) -> Result<Value, AwsError> {
        refuse(&input, "CreateSecret", &["SecretBinary", "AddReplicaRegions"])?;
        let (token, secret_string) = (token(&input)?, input["SecretString"].take());
        let _turn = self.writes.lock().await;
        let mut created = self.ask("CreateSecret", input).await?;
        if secret_string.is_string() {
            let version =
                json!({"SecretId": created["ARN"], "SecretString": secret_string, "ClientRequestToken": token});
            created["VersionId"] = self.ask("PutSecretValue", version).await?["VersionId"].take();
        }
        Ok(created)
    }

    pub(super) async fn put(&self, input: Value) -> Result<Value, AwsError> {
        refuse(&input, "PutSecretValue", &["SecretBinary"])?;
        text(&input, "SecretString")?;
        let _turn = self.writes.lock().await;
        self.put_version(input).await
    }

    pub(super) async fn update(&self, mut input: Value) -> Result<Value, AwsError> {
        refuse(&input, "UpdateSecret", &["SecretBinary"])?;
        let version = json!({
            "SecretId": input["SecretId"],
            "SecretString": input["SecretString"].take(),
            "ClientRequestToken": input["ClientRequestToken"].take(),
        });
        let _turn = self.writes.lock().await;
        let mut updated = self.ask("UpdateSecret", input).await?;
        if let Some(members) = updated.as_object_mut() {
            members.remove("VersionId");
        }
        if version["SecretString"].is_string() {
            updated["VersionId"] = self.put_version(version).await?["VersionId"].take();
        }
        Ok(updated)
    }

    /// A new version with its labels. Asked again with the same token and value it changes nothing; with another value it is
    /// refused.
    async fn put_version(&self, mut input: Value) -> Result<Value, AwsError> {
        let token = token(&input)?;
        let id = text(&input, "SecretId")?.to_owned();
        if let Ok(version) = self.ask("GetSecretValue", json!({"SecretId": id, "VersionId": token})).await {
            if version["SecretString"] == input["SecretString"] {
                return Ok(
                    json!({"ARN": version["ARN"], "Name": version["Name"], "VersionId": token, "VersionStages": version["VersionStages"]}),
                );
            }
            let message = format!(
                "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {}.",
                version["ARN"].as_str().unwrap_or_default()
            );
            return Err(AwsError::client("ResourceExistsException", message));
        }
        let moves_current =
            input["VersionStages"].as_array().is_none_or(|stages| stages.contains(&"AWSCURRENT".into()));
        if moves_current && let Some(previous) = self.version_with(&id, "AWSPREVIOUS").await? {
            let removed = json!({"SecretId": id, "VersionStage": "AWSPREVIOUS", "RemoveFromVersionId": previous});
            self.ask("UpdateSecretVersionStage", removed).await?;
        }
        input["ClientRequestToken"] = token.into();
        self.ask("PutSecretValue", input).await
    }

    /// Id of the version that carries the label.
    pub(super) async fn version_with(&self, id: &str, label: &str) -> Result<Option<String>, AwsError> {
        let described = self.ask("DescribeSecret", json!({"SecretId": id})).await?;
        let versions = described["VersionIdsToStages"].as_object();
        let carries = |stages: &Value| stages.as_array().is_some_and(|stages| stages.contains(&label.into()));
        Ok(versions.into_iter().flatten().find(|(_, stages)| carries(stages)).map(|(version, _)| version.clone()))
    }
}

/// Members that would be dropped in silence are refused by name.
fn refuse(input: &Value, action: &str, members: &[&str]) -> Result<(), AwsError> {
    match members.iter().find(|member| !input[**member].is_null()) {
        Some(member) => Err(AwsError::not_implemented("secretsmanager", &format!("{action} with {member}"))),
        None => Ok(()),
    }
}
