//! DescribeSecret, ListSecrets and ListSecretVersionIds, with what the twin knows about rotations.

use std::sync::PoisonError;

use serde_json::Value;
use twin_platform::AwsError;

use super::SecretsManager;

impl SecretsManager {
    pub(super) async fn describe(&self, input: Value) -> Result<Value, AwsError> {
        let mut described = self.ask("DescribeSecret", input).await?;
        // A version without labels is deprecated, and AWS does not show it here.
        drop_unlabelled(&mut described["VersionIdsToStages"]);
        self.add_rotation(&mut described);
        Ok(described)
    }

    pub(super) async fn list(&self, input: Value) -> Result<Value, AwsError> {
        if input["Filters"].as_array().is_some_and(|filters| !filters.is_empty()) {
            return Err(AwsError::not_implemented("secretsmanager", "ListSecrets with Filters"));
        }
        let mut listed = self.ask("ListSecrets", input).await?;
        for secret in listed["SecretList"].as_array_mut().into_iter().flatten() {
            drop_unlabelled(&mut secret["SecretVersionsToStages"]);
            self.add_rotation(secret);
        }
        Ok(listed)
    }

    pub(super) async fn list_versions(&self, input: Value) -> Result<Value, AwsError> {
        let deprecated_too = input["IncludeDeprecated"].as_bool().unwrap_or(false);
        let mut listed = self.ask("ListSecretVersionIds", input).await?;
        if let Some(versions) = listed["Versions"].as_array_mut() {
            versions.retain(|version| {
                deprecated_too || version["VersionStages"].as_array().is_some_and(|labels| !labels.is_empty())
            });
        }
        Ok(listed)
    }

    fn add_rotation(&self, secret: &mut Value) {
        let rotations = self.rotations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = secret["ARN"].as_str().and_then(|arn| rotations.get(arn)) {
            facts.add_to(secret);
        }
        // Absent members stay absent: reading them above must not leave a `null` behind.
        if let Some(members) = secret.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
    }
}

fn drop_unlabelled(versions: &mut Value) {
    if let Some(versions) = versions.as_object_mut() {
        versions.retain(|_, labels| labels.as_array().is_some_and(|labels| !labels.is_empty()));
    }
}
