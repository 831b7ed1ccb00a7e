//! The database secret: its versions, and whether its current value is usable. The value itself never leaves this crate.

use contract::{DatabaseSecret, InvalidSecret};
use serde::Serialize;

use crate::{AwsError, Clients, Names};

/// The secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// ARN of the secret.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Version with the stage `AWSCURRENT`.
    pub current_version: Option<String>,
    /// All versions that carry a stage.
    pub versions: Vec<SecretVersion>,
    /// Whether it waits for its deletion; until then it can be restored.
    pub marked_deleted: bool,
    /// Why the current value cannot be used (bad JSON, a missing key); none when it can.
    pub unusable: Option<String>,
}

/// One version of the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretVersion {
    /// Version id.
    pub id: String,
    /// `AWSCURRENT`, `AWSPENDING`, `AWSPREVIOUS`, or one's own.
    pub stages: Vec<String>,
}

/// The secret could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Invalid(#[from] InvalidSecret),
}

pub(super) fn aws_error(error: &SecretError) -> Option<&AwsError> {
    match error {
        SecretError::Aws(error) => Some(error),
        SecretError::Invalid(_) => None,
    }
}

/// The secret and the credentials of its current version.
pub(crate) struct StoredSecret {
    pub(crate) secret: Secret,
    pub(crate) credentials: Result<DatabaseSecret, SecretError>,
}

pub(crate) async fn read(clients: &Clients, names: &Names) -> Result<StoredSecret, SecretError> {
    let (described, credentials) = tokio::join!(
        clients.secretsmanager.describe_secret().secret_id(&names.secret).send(),
        read_version(clients, names, None)
    );
    let described = described.map_err(AwsError::from_sdk("secretsmanager:DescribeSecret"))?;
    let mut versions: Vec<_> = described
        .version_ids_to_stages
        .unwrap_or_default()
        .into_iter()
        .map(|(id, mut stages)| {
            stages.sort();
            SecretVersion { id, stages }
        })
        .filter(|version| !version.stages.is_empty())
        .collect();
    versions.sort_by(|left, right| left.stages.cmp(&right.stages).then_with(|| left.id.cmp(&right.id)));
    let current = versions.iter().find(|version| version.stages.iter().any(|stage| stage == "AWSCURRENT"));
    let secret = Secret {
        arn: described.arn.unwrap_or_default(),
        name: described.name.unwrap_or_default(),
        current_version: current.map(|version| version.id.clone()),
        versions,
        marked_deleted: described.deleted_date.is_some(),
        unusable: credentials.as_ref().err().map(ToString::to_string),
    };
    Ok(StoredSecret { secret, credentials })
}

/// The credentials of one version; none is the current one.
pub(crate) async fn read_version(
    clients: &Clients,
    names: &Names,
    version: Option<&str>,
) -> Result<DatabaseSecret, SecretError> {
    const OPERATION: &str = "secretsmanager:GetSecretValue";
    let value = clients
        .secretsmanager
        .get_secret_value()
        .secret_id(&names.secret)
        .set_version_id(version.map(str::to_owned))
        .send()
        .await
        .map_err(AwsError::from_sdk(OPERATION))?;
    let text =
        value.secret_string.ok_or_else(|| AwsError::incomplete(OPERATION, "the secret is binary, not a string"))?;
    Ok(DatabaseSecret::parse(&text)?)
}
