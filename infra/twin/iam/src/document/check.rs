//! What AWS checks when a policy is written, in AWS's words.

use serde_json::{Map, Value};
use twin_platform::AwsError;

use super::SYNTAX;
use crate::error::malformed;

const FIELDS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_FIELDS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// A policy that says what its role may do.
pub(super) fn identity(document: &Value) -> Result<(), AwsError> {
    for statement in whole(document)? {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(malformed("Policy document should not specify a principal."));
        }
        actions(statement)?;
        resources(statement)?;
        conditions(statement)?;
    }
    Ok(())
}

/// A policy that says who may assume its role.
pub(super) fn trust(document: &Value) -> Result<(), AwsError> {
    for statement in whole(document)? {
        if let Some(field) = ["Resource", "NotResource"].into_iter().find(|field| statement.contains_key(*field)) {
            return Err(malformed(format!("Has prohibited field {field}")));
        }
        if !statement.contains_key("Principal") && !statement.contains_key("NotPrincipal") {
            return Err(malformed("Missing required field Principal"));
        }
        actions(statement)?;
        let sts = |action: &str| action == "*" || action.to_ascii_lowercase().starts_with("sts:");
        if !texts(statement, "Action")?.iter().all(|action| sts(action)) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
        }
        conditions(statement)?;
    }
    Ok(())
}

/// The statements, after what holds for every policy.
fn whole(document: &Value) -> Result<Vec<&Map<String, Value>>, AwsError> {
    let fields = document.as_object().ok_or_else(|| malformed(SYNTAX))?;
    known(fields, &FIELDS)?;
    match fields.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(None) => return Err(malformed(SYNTAX)),
        Some(Some(_)) => return Err(malformed("Policy document must be version 2012-10-17 or greater.")),
    }
    let statements: Vec<_> = match fields.get("Statement") {
        Some(Value::Array(several)) => several.iter().map(Value::as_object).collect(),
        Some(one) => vec![one.as_object()],
        None => vec![],
    };
    let statements: Option<Vec<_>> = statements.into_iter().collect();
    let statements = statements.filter(|all| !all.is_empty()).ok_or_else(|| malformed(SYNTAX))?;
    let mut seen = Vec::new();
    for statement in &statements {
        known(statement, &STATEMENT_FIELDS)?;
        if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
            return Err(malformed(SYNTAX));
        }
        let Some(sid) = statement.get("Sid") else { continue };
        let sid = sid.as_str().ok_or_else(|| malformed(SYNTAX))?;
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(malformed(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            ));
        }
        if !sid.is_empty() && seen.contains(&sid) {
            return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
        }
        seen.push(sid);
    }
    Ok(statements)
}

fn known(fields: &Map<String, Value>, names: &[&str]) -> Result<(), AwsError> {
    match fields.keys().all(|field| names.contains(&field.as_str())) {
        true => Ok(()),
        false => Err(malformed(SYNTAX)),
    }
}

/// A text or a list of texts; nothing when the field is not there.
fn texts<'a>(statement: &'a Map<String, Value>, field: &str) -> Result<Vec<&'a str>, AwsError> {
    let texts: Option<Vec<_>> = match statement.get(field) {
        None => Some(Vec::new()),
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
        Some(one) => one.as_str().map(|text| vec![text]),
    };
    texts.ok_or_else(|| malformed(SYNTAX))
}

/// The values of a field or of its negation; exactly one of them is there.
fn either<'a>(
    statement: &'a Map<String, Value>,
    field: &str,
    negation: &str,
    missing: &str,
) -> Result<Vec<&'a str>, AwsError> {
    if statement.contains_key(field) && statement.contains_key(negation) {
        return Err(malformed(SYNTAX));
    }
    let mut values = texts(statement, field)?;
    values.extend(texts(statement, negation)?);
    if values.is_empty() {
        return Err(malformed(missing));
    }
    Ok(values)
}

fn actions(statement: &Map<String, Value>) -> Result<(), AwsError> {
    for action in either(statement, "Action", "NotAction", "Policy statement must contain actions.")? {
        let Some((vendor, name)) = action.split_once(':') else {
            if action == "*" {
                continue;
            }
            return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
        };
        if vendor.is_empty() || !vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(malformed(format!("Vendor {vendor} is not valid")));
        }
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?' | b'_' | b'-');
        if name.is_empty() || !name.bytes().all(letters) {
            return Err(malformed("Actions/Condition can contain only one colon."));
        }
    }
    Ok(())
}

fn resources(statement: &Map<String, Value>) -> Result<(), AwsError> {
    for resource in either(statement, "Resource", "NotResource", "Policy statement must contain resources.")? {
        if resource == "*" {
            continue;
        }
        let parts: Vec<&str> = resource.splitn(6, ':').collect();
        let [arn, partition, service, _, _, name] = parts.as_slice() else {
            return Err(not_an_arn(resource));
        };
        if *arn != "arn" || service.is_empty() || name.is_empty() {
            return Err(not_an_arn(resource));
        }
        if !matches!(*partition, "aws" | "aws-cn" | "aws-us-gov" | "*") {
            return Err(malformed(format!("Partition \"{partition}\" is not valid for resource \"{resource}\".")));
        }
    }
    Ok(())
}

fn not_an_arn(resource: &str) -> AwsError {
    malformed(format!("Resource {resource} must be in ARN format or \"*\"."))
}

fn conditions(statement: &Map<String, Value>) -> Result<(), AwsError> {
    let Some(block) = statement.get("Condition") else { return Ok(()) };
    for (operator, keys) in block.as_object().ok_or_else(|| malformed(SYNTAX))? {
        if operator.parse::<iam_rs::IAMOperator>().is_err() {
            return Err(malformed(format!("Invalid Condition type : {operator}.")));
        }
        for key in keys.as_object().ok_or_else(|| malformed(SYNTAX))?.keys() {
            if !key.contains(':') {
                return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
            }
        }
    }
    Ok(())
}

/// The statements of a document that was checked.
pub(super) fn statements_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let (several, one) = match &mut document["Statement"] {
        Value::Array(several) => (several.as_mut_slice(), None),
        one => (Default::default(), Some(one)),
    };
    several.iter_mut().chain(one)
}
