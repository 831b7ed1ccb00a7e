//! The policies of the task's roles: whether they still say what the lab ships.

use contract::roles::{self, Place, Role};
use serde::Serialize;
use serde_json::Value;

use crate::{AwsError, Clients};

/// The policy of one role, beside the shipped one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolePolicy {
    /// Name of the role.
    pub role: String,
    /// Name of its inline policy.
    pub policy_name: String,
    /// The shipped policy, as JSON text.
    pub shipped: String,
    /// What is wrong with the policy that is there; none when it says what is shipped.
    pub drift: Option<String>,
    /// Other inline policies of the role that deny something, by name.
    pub denying: Vec<String>,
}

impl RolePolicy {
    pub(crate) fn of_the_lab(role: &Role, place: &Place<'_>) -> Self {
        Self {
            role: role.name.to_owned(),
            policy_name: role.policy_name.to_owned(),
            shipped: role.policy(place),
            drift: None,
            denying: Vec::new(),
        }
    }
}

/// Where the lab is, as the ARN of its service says.
pub(crate) fn place(service_arn: &str) -> Option<Place<'_>> {
    let mut parts = service_arn.split(':').skip(1);
    let (partition, _service) = (parts.next()?, parts.next()?);
    Some(Place { partition, region: parts.next()?, account_id: parts.next()? })
}

pub(super) async fn read(clients: &Clients, service_arn: &str) -> Result<Vec<RolePolicy>, AwsError> {
    let incomplete = || AwsError::incomplete("ecs:DescribeServices", format!("{service_arn} is no ARN of a service"));
    let place = place(service_arn).ok_or_else(incomplete)?;
    let mut policies = Vec::new();
    for role in roles::ALL {
        policies.push(read_one(clients, &role, &place).await?);
    }
    Ok(policies)
}

async fn read_one(clients: &Clients, role: &Role, place: &Place<'_>) -> Result<RolePolicy, AwsError> {
    let mut seen = RolePolicy::of_the_lab(role, place);
    seen.drift = match document(clients, role.name, role.policy_name).await {
        Ok(held) => drift(&held, &seen.shipped),
        Err(error) if error.is("NoSuchEntity") => Some("the policy is gone".to_owned()),
        Err(error) => return Err(error),
    };
    let listed = clients.iam.list_role_policies().role_name(role.name).send().await;
    let names = match listed.map_err(AwsError::from_sdk("iam:ListRolePolicies")) {
        Ok(listed) => listed.policy_names,
        Err(error) if error.is("NoSuchEntity") => Vec::new(),
        Err(error) => return Err(error),
    };
    for name in names.into_iter().filter(|name| name != role.policy_name) {
        let denies = |statement: &Value| statement["Effect"] == "Deny";
        if statements(&document(clients, role.name, &name).await?).iter().any(denies) {
            seen.denying.push(name);
        }
    }
    Ok(seen)
}

async fn document(clients: &Clients, role: &str, policy: &str) -> Result<String, AwsError> {
    let reply = clients.iam.get_role_policy().role_name(role).policy_name(policy).send().await;
    Ok(decoded(reply.map_err(AwsError::from_sdk("iam:GetRolePolicy"))?.policy_document()))
}

/// IAM hands a document out percent-encoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn statements(document: &str) -> Vec<Value> {
    match serde_json::from_str::<Value>(document).map(|mut document| document["Statement"].take()) {
        Ok(Value::Array(several)) => several,
        Ok(Value::Null) | Err(_) => Vec::new(),
        Ok(one) => vec![one],
    }
}

/// What a policy lacks or has changed, by the names of the statements. Their order means nothing.
fn drift(held: &str, shipped: &str) -> Option<String> {
    let (held, shipped) = (statements(held), statements(shipped));
    let missing: Vec<&str> =
        shipped.iter().filter(|wanted| !held.contains(wanted)).filter_map(|wanted| wanted["Sid"].as_str()).collect();
    let added = held.iter().filter(|statement| !shipped.contains(statement)).count();
    match (missing.is_empty(), added) {
        (true, 0) => None,
        (true, added) => Some(format!("{added} more than shipped")),
        (false, _) => Some(format!("{} not as shipped", missing.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-west-1:123456789012:service/golden/golden";

    #[test]
    fn a_missing_statement_is_named_and_order_and_white_space_are_not() {
        let shipped = roles::TASK.policy(&place(ARN).expect("an ARN"));
        let mut document: Value = serde_json::from_str(&shipped).expect("JSON");
        let statements = document["Statement"].as_array_mut().expect("a list");
        statements.reverse();
        assert_eq!(drift(&document.to_string(), &shipped), None);
        let taken = document["Statement"].as_array_mut().and_then(Vec::pop).expect("a statement");
        assert_eq!(taken["Sid"], "ReadFailureMode");
        assert_eq!(drift(&document.to_string(), &shipped).as_deref(), Some("ReadFailureMode not as shipped"));
        assert!(drift("no JSON", &shipped).is_some_and(|drift| drift.starts_with("ReadFailureMode, ")));
    }

    #[test]
    fn percent_signs_are_read() {
        assert_eq!(decoded("%7B%22a%22%3A%20%22%C3%A9%25%22%7D%"), "{\"a\": \"é%\"}%");
    }
}
