//! The database secret through the aws CLI.

use contract::DatabaseSecret;

use super::Lab;
use crate::until;

impl Lab {
    /// The database secret's current value.
    #[track_caller]
    pub fn secret(&self) -> DatabaseSecret {
        let value = self.aws(&["secretsmanager", "get-secret-value", "--secret-id", self.name("DB_SECRET_ARN")]);
        DatabaseSecret::parse(value["SecretString"].as_str().unwrap_or_default()).expect("the lab's own secret parses")
    }

    /// Puts a new current value.
    #[track_caller]
    pub fn put_secret(&self, value: &str) {
        let id = self.name("DB_SECRET_ARN");
        self.aws(&["secretsmanager", "put-secret-value", "--secret-id", id, "--secret-string", value]);
    }

    /// Rotates the secret and waits until the new version is the current one.
    ///
    /// # Panics
    /// When the rotation is refused.
    #[track_caller]
    pub fn rotate_secret(&self) {
        let id = self.name("DB_SECRET_ARN");
        let rotated = self.aws(&["secretsmanager", "rotate-secret", "--secret-id", id]);
        let wanted = rotated["VersionId"].as_str().expect("RotateSecret answers the new version").to_owned();
        until("the new version is AWSCURRENT", 10, || {
            let versions = self.aws(&["secretsmanager", "describe-secret", "--secret-id", id]);
            let stages = versions["VersionIdsToStages"][&wanted].clone();
            let is_current = stages.as_array().is_some_and(|stages| stages.contains(&"AWSCURRENT".into()));
            if is_current { Ok(()) } else { Err(versions) }
        });
    }
}
