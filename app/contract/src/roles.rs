//! The roles of a task and what each may do: one statement for each need, so that taking one away breaks exactly one thing.
//!
//! The documents are templates with CloudFormation's pseudo parameters (`${AWS::Region}` and the like), so that infrastructure
//! code takes them from `infra/contract.json` as they are. What an image repository needs is granted there, where it is known.

use serde_json::{Value, json};

use crate::names::resource;

/// A role.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Name of the role.
    pub name: &'static str,
    /// For people.
    pub description: &'static str,
    /// Name of its one inline policy.
    pub policy_name: &'static str,
    policy: &'static str,
}

/// What the application may call.
pub const TASK: Role = Role {
    name: resource::TASK_ROLE,
    description: "What the application calls",
    policy_name: "application",
    policy: include_str!("roles/task.json"),
};

/// What ECS does for a task before and beside it.
pub const EXECUTION: Role = Role {
    name: resource::EXECUTION_ROLE,
    description: "What ECS does for a task: logs, and the secrets of its definition",
    policy_name: "platform",
    policy: include_str!("roles/execution.json"),
};

/// Both roles.
pub const ALL: [Role; 2] = [TASK, EXECUTION];

/// Who may assume them.
const TRUST: &str = include_str!("roles/trust.json");

/// Where a role lives.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Region code.
    pub region: &'a str,
    /// Twelve digits.
    pub account_id: &'a str,
}

impl Place<'_> {
    fn fill(&self, template: &str) -> String {
        template
            .replace("${AWS::Partition}", self.partition)
            .replace("${AWS::Region}", self.region)
            .replace("${AWS::AccountId}", self.account_id)
    }
}

impl Role {
    /// The inline policy, as JSON text.
    pub fn policy(&self, place: &Place<'_>) -> String {
        place.fill(self.policy)
    }

    /// The trust policy, as JSON text.
    pub fn trust(&self, place: &Place<'_>) -> String {
        place.fill(TRUST)
    }
}

/// The roles as data, with the templates as they are.
pub(crate) fn document() -> Value {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let roles = ALL.map(|role| {
        json!({
            "name": role.name,
            "description": role.description,
            "policyName": role.policy_name,
            "policy": read(role.policy),
            "trust": read(TRUST),
        })
    });
    json!(roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_name_the_resources_of_the_contract_and_every_statement_has_its_own_name() {
        let place = Place { partition: "aws", region: "eu-west-1", account_id: "123456789012" };
        let whole = TASK.policy(&place) + &EXECUTION.policy(&place);
        let at = "eu-west-1:123456789012";
        for named in [
            format!("arn:aws:ssm:{at}:parameter{}", resource::FAILURE_MODE_PARAMETER),
            format!("arn:aws:secretsmanager:{at}:secret:{}-??????", resource::DB_SECRET),
            format!("\"arn:aws:s3:::{}\"", resource::HEALTH_BUCKET),
            format!("arn:aws:logs:{at}:log-group:{}:log-stream:{}/*", resource::LOG_GROUP, resource::LOG_STREAM_PREFIX),
        ] {
            assert!(whole.contains(&named), "{named} is in no policy");
        }
        for role in ALL {
            let policy: Value = serde_json::from_str(&role.policy(&place)).expect("JSON");
            assert!(!policy.to_string().contains("${"), "{policy}");
            let statements = policy["Statement"].as_array().expect("a list");
            let mut names: Vec<_> = statements.iter().filter_map(|it| it["Sid"].as_str()).collect();
            names.dedup();
            assert_eq!(names.len(), statements.len(), "{policy}");
            assert!(serde_json::from_str::<Value>(&role.trust(&place)).is_ok());
        }
    }
}
