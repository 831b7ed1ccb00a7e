//! The roles of a task, as the contract has them.

use anyhow::Result;
use aws_config::SdkConfig;
use contract::roles::{self, Place};

use super::created_or_there;
use crate::{lab::Ready, problem};

/// Creates the roles with their policies.
pub(super) async fn create(config: &SdkConfig, ready: &Ready) -> Result<()> {
    let iam = aws_sdk_iam::Client::new(config);
    let place = Place { partition: "aws", region: &ready.region, account_id: &ready.account_id };
    for role in roles::ALL {
        let create = iam
            .create_role()
            .role_name(role.name)
            .description(role.description)
            .assume_role_policy_document(role.trust(&place));
        let made = created_or_there("creating a task's role", "EntityAlreadyExists", create.send().await)?;
        // A role that is there keeps the policy that somebody gave it.
        if made.is_some() {
            let put = iam
                .put_role_policy()
                .role_name(role.name)
                .policy_name(role.policy_name)
                .policy_document(role.policy(&place));
            put.send().await.map_err(|error| problem::aws("writing the policy of a task's role", error))?;
        }
    }
    Ok(())
}
