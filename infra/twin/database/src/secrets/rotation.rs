//! RotateSecret: the four steps of AWS's rotation function for PostgreSQL with a superuser, against the real server
//! ("Lambda functions for rotation", AWS Secrets Manager User Guide).
//!
//! AWS answers at once and rotates in the background; here the rotation is over before the answer. As in AWS the answer says
//! that the rotation was accepted, not that it succeeded: a failed one leaves AWSPENDING on the new version and AWSCURRENT
//! where it was, and says why in the twin's log and in the instance's events.

use std::sync::PoisonError;

use serde_json::{Value, json};
use time::OffsetDateTime;
use twin_platform::AwsError;

use super::{SecretsManager, text, token};
use crate::{
    MASTER, SessionError,
    credentials::{DatabaseSecret, random_password},
};

/// What DescribeSecret shows of a secret's rotation.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    enabled: bool,
    rules: Option<Value>,
    lambda_arn: Option<Value>,
    last_rotated: Option<OffsetDateTime>,
}

impl Facts {
    pub(super) fn add_to(&self, secret: &mut Value) {
        secret["RotationEnabled"] = self.enabled.into();
        secret["RotationRules"] = self.rules.clone().unwrap_or_default();
        secret["RotationLambdaARN"] = self.lambda_arn.clone().unwrap_or_default();
        secret["LastRotatedDate"] = self.last_rotated.map(OffsetDateTime::unix_timestamp).into();
    }
}

/// A step that failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("{step}: {operation}")]
    Database {
        step: &'static str,
        operation: &'static str,
        #[source]
        source: SessionError,
    },
    #[error("{step}: keeping the versions")]
    Secret {
        step: &'static str,
        #[source]
        source: AwsError,
    },
}

/// One rotation: which version becomes which.
struct Rotation {
    arn: String,
    /// The version that is AWSCURRENT, and its value.
    current: (String, DatabaseSecret),
    /// Id of the version that shall be.
    next: String,
}

impl SecretsManager {
    pub(super) async fn rotate(&self, input: Value) -> Result<Value, AwsError> {
        let next = token(&input)?;
        let rules = rules(&input)?;
        let _turn = self.writes.lock().await;
        let current = self.ask("GetSecretValue", json!({"SecretId": text(&input, "SecretId")?})).await?;
        let secret = self.rotatable(&current)?;
        let arn = text(&current, "ARN")?.to_owned();
        let name = &current["Name"];
        let current_version = text(&current, "VersionId")?.to_owned();
        self.note(&arn, |facts| {
            facts.enabled = true;
            facts.rules = rules.or(facts.rules.take());
            facts.lambda_arn =
                Some(input["RotationLambdaARN"].clone()).filter(Value::is_string).or(facts.lambda_arn.take());
        });
        if next == current_version || input["RotateImmediately"] == false {
            return Ok(json!({"ARN": arn, "Name": name, "VersionId": current_version}));
        }
        let pending = self.version_with(&arn, "AWSPENDING").await?.filter(|version| *version != current_version);
        let again = pending.is_some();
        let rotation = Rotation { arn: arn.clone(), current: (current_version, secret), next: pending.unwrap_or(next) };
        match self.run(&rotation).await {
            Ok(()) => {
                tracing::info!(secret = %arn, version = %rotation.next, "the secret is rotated");
                self.note(&arn, |facts| facts.last_rotated = Some(OffsetDateTime::now_utc()));
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, secret = %arn, "the rotation failed; AWSCURRENT stays where it was");
                self.database.tell("failure", format!("Rotation of the secret {arn} failed: {}", chain(&error)));
            }
        }
        if again {
            let message = "A previous rotation isn't complete. That rotation will be reattempted.";
            return Err(AwsError::client("InvalidRequestException", message));
        }
        Ok(json!({"ARN": arn, "Name": name, "VersionId": rotation.next}))
    }

    pub(super) async fn cancel_rotation(&self, input: Value) -> Result<Value, AwsError> {
        let described = self.ask("DescribeSecret", json!({"SecretId": text(&input, "SecretId")?})).await?;
        self.note(text(&described, "ARN")?, |facts| facts.enabled = false);
        Ok(json!({"ARN": described["ARN"], "Name": described["Name"]}))
    }

    fn note(&self, arn: &str, edit: impl FnOnce(&mut Facts)) {
        edit(self.rotations.lock().unwrap_or_else(PoisonError::into_inner).entry(arn.to_owned()).or_default());
    }

    /// The value as a database secret, when it is one that the twin has a rotation function for.
    fn rotatable(&self, value: &Value) -> Result<DatabaseSecret, AwsError> {
        let refused = |why: &str| {
            let message = format!(
                "No Lambda rotation function ARN is associated with this secret. The twin rotates secrets of its own database; {why}."
            );
            AwsError::client("InvalidRequestException", message)
        };
        let secret = value["SecretString"].as_str().and_then(DatabaseSecret::parse);
        let secret =
            secret.ok_or_else(|| refused("this one is no JSON object with host, port, username and password"))?;
        let (host, port) = self.database.address();
        if secret.port() != Some(port) || !(secret.host() == host || secret.host() == "localhost") {
            return Err(refused(&format!("this one names a server other than {host}:{port}")));
        }
        if secret.username() == MASTER {
            return Err(refused("the master's own password stays as it is"));
        }
        Ok(secret)
    }

    async fn run(&self, rotation: &Rotation) -> Result<(), StepError> {
        let next = self.create_secret(rotation).await?;
        self.set_secret(rotation, &next).await?;
        self.test_secret(&next).await?;
        self.finish_secret(rotation).await
    }

    /// The AWSPENDING version with a new password; the one that is there already when a rotation is tried again.
    async fn create_secret(&self, rotation: &Rotation) -> Result<DatabaseSecret, StepError> {
        let failed = |source| StepError::Secret { step: "createSecret", source };
        let asked = json!({"SecretId": rotation.arn, "VersionId": rotation.next});
        if let Ok(pending) = self.ask("GetSecretValue", asked).await
            && let Some(secret) = pending["SecretString"].as_str().and_then(DatabaseSecret::parse)
        {
            return Ok(secret);
        }
        let value = rotation.current.1.with_password(&random_password());
        let version = json!({
            "SecretId": rotation.arn,
            "ClientRequestToken": rotation.next,
            "SecretString": value,
            "VersionStages": ["AWSPENDING"],
        });
        self.ask("PutSecretValue", version).await.map_err(failed)?;
        let malformed = || failed(AwsError::client("InvalidRequestException", "the new version is no database secret"));
        DatabaseSecret::parse(&value).ok_or_else(malformed)
    }

    /// The new password in the database, set by the master. Before that the server must admit, or refuse by its password,
    /// a log-in of the role: else (no free session, server down) nothing is changed that could not be proved afterwards.
    async fn set_secret(&self, rotation: &Rotation, next: &DatabaseSecret) -> Result<(), StepError> {
        let failed = |operation| move |source| StepError::Database { step: "setSecret", operation, source };
        match self.log_in(next).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_refused_login() => {}
            Err(error) => return Err(failed("logging in before the change")(error)),
        }
        match self.log_in(&rotation.current.1).await {
            Ok(()) => {}
            Err(error) if error.is_refused_login() => {
                tracing::warn!("the secret's current password does not open the database; the rotation mends that");
            }
            Err(error) => return Err(failed("logging in before the change")(error)),
        }
        let changed = self.database.alter_role_password(next.username(), next.password()).await;
        changed.map_err(failed("ALTER ROLE by the master"))
    }

    /// A real log-in with the new password.
    async fn test_secret(&self, next: &DatabaseSecret) -> Result<(), StepError> {
        let failed =
            |source| StepError::Database { step: "testSecret", operation: "logging in with the new password", source };
        self.log_in(next).await.map_err(failed)
    }

    /// AWSCURRENT moves to the new version, and AWSPREVIOUS to the old one; AWSPENDING is taken off.
    async fn finish_secret(&self, rotation: &Rotation) -> Result<(), StepError> {
        let failed = |source| StepError::Secret { step: "finishSecret", source };
        let moved = json!({
            "SecretId": rotation.arn,
            "VersionStage": "AWSCURRENT",
            "MoveToVersionId": rotation.next,
            "RemoveFromVersionId": rotation.current.0,
        });
        self.ask("UpdateSecretVersionStage", moved).await.map_err(failed)?;
        let removed =
            json!({"SecretId": rotation.arn, "VersionStage": "AWSPENDING", "RemoveFromVersionId": rotation.next});
        self.ask("UpdateSecretVersionStage", removed).await.map_err(failed)?;
        Ok(())
    }

    async fn log_in(&self, secret: &DatabaseSecret) -> Result<(), SessionError> {
        self.database.verify_login(secret.username(), secret.password(), secret.dbname()).await
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The schedule. It is shown and kept; no lab lives long enough for the shortest one, of a day's length, to come due.
fn rules(input: &Value) -> Result<Option<Value>, AwsError> {
    let rules = &input["RotationRules"];
    if !rules["AutomaticallyAfterDays"].is_null()
        && !rules["AutomaticallyAfterDays"].as_i64().is_some_and(|days| (1..=1000).contains(&days))
    {
        return Err(AwsError::client(
            "InvalidParameterException",
            "RotationRules.AutomaticallyAfterDays must be within 1-1000.",
        ));
    }
    Ok(rules.is_object().then(|| rules.clone()))
}
