//! What is the same to AWS is made the same for the evaluator, and what the evaluator would get wrong is refused.

use serde_json::Value;
use twin_platform::AwsError;

use super::check::statements_mut;
use crate::error::refused;

/// The document as the evaluator reads it.
pub(super) fn form(mut document: Value) -> Result<Value, AwsError> {
    if document["Version"].is_null() {
        // "If you do not include a Version element, the value defaults to 2008-10-17."
        document["Version"] = "2008-10-17".into();
    }
    for statement in statements_mut(&mut document) {
        for field in ["Resource", "NotResource"] {
            if any_text(&statement[field], |text| {
                text.contains("${*}") || text.contains("${?}") || text.contains("${$}")
            }) {
                return Err(refused("policy documents with ${*}, ${?} or ${$}"));
            }
        }
        if let Some(Value::Object(block)) = statement.get_mut("Condition") {
            let operators = std::mem::take(block);
            for (operator, mut keys) in operators {
                for value in keys.as_object_mut().into_iter().flat_map(|keys| keys.values_mut()) {
                    if any_text(value, |text| text.contains("${")) {
                        return Err(refused("policy variables in the conditions of a policy document"));
                    }
                    list_of_texts(value);
                }
                // "ArnEquals and ArnLike behave identically."
                let operator = operator.replace("ArnEquals", "ArnLike").replace("ArnNotEquals", "ArnNotLike");
                match block.get_mut(&operator).and_then(Value::as_object_mut) {
                    None => drop(block.insert(operator, keys)),
                    Some(_) => return Err(refused("ArnEquals beside ArnLike in one condition of a policy document")),
                }
            }
        }
    }
    Ok(document)
}

fn any_text(value: &Value, wanted: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Array(several) => several.iter().filter_map(Value::as_str).any(wanted),
        _ => false,
    }
}

/// `[5, true]` means `["5", "true"]`, and a list of one means that one.
fn list_of_texts(value: &mut Value) {
    if let Value::Array(several) = value {
        for item in several.iter_mut().filter(|item| item.is_number() || item.is_boolean()) {
            *item = item.to_string().into();
        }
        if several.len() == 1 {
            *value = several.remove(0);
        }
    }
}
