//! Task-role credentials: unlike for every task, so that a call can be traced to the task that made it.

use twin_platform::Account;

use crate::arn;

/// One task's credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCredentials {
    /// The task role that the task definition (or the run's override) names.
    pub role_arn: String,
    /// The task that holds the key.
    pub task_id: String,
    /// `ASIA…`, sixteen characters after the prefix, as keys of temporary credentials are.
    pub access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) token: String,
}

impl TaskCredentials {
    pub(crate) fn fresh(account: &Account, role: &str, task_id: &str) -> Self {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        Self {
            role_arn: arn::role(account, role),
            task_id: task_id.to_owned(),
            access_key_id: format!("ASIA{}", random()[..16].to_uppercase()),
            secret_access_key: format!("{}{}", random(), &random()[..8]),
            token: format!("{}{}{}", random(), random(), random()),
        }
    }
}
