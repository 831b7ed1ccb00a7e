//! What stands behind the `valueFrom` of a container's secret
//! ("Pass sensitive data to an Amazon ECS container", Amazon ECS Developer Guide).

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use twin_database::SecretsManager;
use twin_platform::{
    Account, AwsError,
    seam::{Roles, SecretValues, Session},
};

use crate::{parameters::Parameters, permission};

/// Values of secrets and parameters.
pub(crate) struct Values {
    secrets: Arc<SecretsManager>,
    parameters: Arc<Parameters>,
    roles: Arc<dyn Roles>,
    account: Account,
}

impl Values {
    pub(crate) fn new(
        account: Account,
        secrets: Arc<SecretsManager>,
        parameters: Arc<Parameters>,
        roles: Arc<dyn Roles>,
    ) -> Self {
        Self { secrets, parameters, roles, account }
    }

    fn allow(&self, reader: Option<&Session>, action: &str, resource: &str) -> Result<(), AwsError> {
        reader.map_or(Ok(()), |session| self.roles.authorize(session, action, resource))
    }
}

#[async_trait]
impl SecretValues for Values {
    async fn resolve(&self, value_from: &str, reader: Option<&Session>) -> Result<String, AwsError> {
        let Some(reference) = SecretReference::parse(value_from) else {
            self.allow(reader, "ssm:GetParameters", &permission::parameter(&self.account, value_from))?;
            let parameter = self.parameters.get(value_from).await?;
            return Ok(parameter["Parameter"]["Value"].as_str().unwrap_or_default().to_owned());
        };
        let arn = permission::secret(&self.secrets, &self.account, reference.arn).await;
        self.allow(reader, "secretsmanager:GetSecretValue", &arn)?;
        let mut asked = json!({"SecretId": reference.arn});
        for (member, value) in [("VersionStage", reference.stage), ("VersionId", reference.version)] {
            if let Some(value) = value {
                asked[member] = value.into();
            }
        }
        let secret = self.secrets.answer("GetSecretValue", asked).await?;
        let text = secret["SecretString"].as_str().unwrap_or_default();
        let Some(key) = reference.json_key else { return Ok(text.to_owned()) };
        let missing = || {
            let message = format!("retrieved secret from Secrets Manager did not contain json key {key}");
            AwsError::client("ResourceInitializationError", message)
        };
        match serde_json::from_str::<Value>(text).map(|mut object| object[key].take()) {
            Ok(Value::Null) | Err(_) => Err(missing()),
            Ok(Value::String(value)) => Ok(value),
            Ok(other) => Ok(other.to_string()),
        }
    }
}

/// `arn:aws:secretsmanager:region:account:secret:name[:json-key[:version-stage[:version-id]]]`; empty parts are left out.
#[derive(Debug, PartialEq, Eq)]
struct SecretReference<'a> {
    arn: &'a str,
    json_key: Option<&'a str>,
    stage: Option<&'a str>,
    version: Option<&'a str>,
}

impl<'a> SecretReference<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut colons = text.match_indices(':').map(|(index, _)| index);
        let is_secret = text.starts_with("arn:") && text.split(':').nth(2) == Some("secretsmanager");
        is_secret.then_some(())?;
        // A secret's name holds no colon, so the seventh begins the optional parts.
        let end = colons.nth(6).unwrap_or(text.len());
        let mut parts =
            text.get(end + 1..).unwrap_or_default().split(':').map(|part| Some(part).filter(|part| !part.is_empty()));
        let mut next = || parts.next().flatten();
        Some(Self { arn: &text[..end], json_key: next(), stage: next(), version: next() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:golden/db-AbCdEf";

    #[test]
    fn the_parts_of_a_reference_are_told_apart() {
        let parse = |tail: &str| {
            let text = format!("{ARN}{tail}");
            let reference = SecretReference::parse(&text).expect("a secret's ARN");
            assert_eq!(reference.arn, ARN, "{text}");
            let own = |part: Option<&str>| part.map(str::to_owned);
            (own(reference.json_key), own(reference.stage), own(reference.version))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parse(""), (None, None, None));
        assert_eq!(parse(":password::"), (some("password"), None, None));
        assert_eq!(parse("::AWSPREVIOUS:"), (None, some("AWSPREVIOUS"), None));
        assert_eq!(parse(":password::v1"), (some("password"), None, some("v1")));
    }

    #[test]
    fn parameters_are_no_secrets() {
        for text in ["/golden/failure_mode", "plain", "arn:aws:ssm:us-east-1:123456789012:parameter/a"] {
            assert_eq!(SecretReference::parse(text), None, "{text}");
        }
    }
}
