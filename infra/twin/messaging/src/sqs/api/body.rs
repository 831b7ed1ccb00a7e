//! Message attributes as they are written in JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use crate::{
    attribute::{Attribute, Attributes, Value},
    sqs::error::invalid,
};

/// One attribute in JSON; bytes are base64.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Written {
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    /// Reserved by AWS; must be empty.
    #[serde(default, skip_serializing)]
    string_list_values: Vec<String>,
    #[serde(default, skip_serializing)]
    binary_list_values: Vec<String>,
}

/// Reads attributes; their own rules are checked with the message.
pub(super) fn read(written: BTreeMap<String, Written>) -> Result<Attributes, AwsError> {
    written.into_iter().map(|(name, it)| Ok((name.clone(), attribute(&name, it)?))).collect()
}

fn attribute(name: &str, written: Written) -> Result<Attribute, AwsError> {
    if !written.string_list_values.is_empty() || !written.binary_list_values.is_empty() {
        return Err(AwsError::client(
            "UnsupportedOperation",
            "Message attribute list values in SendMessage operation are not supported.",
        ));
    }
    let value = match (written.string_value, written.binary_value) {
        (Some(text), None) => Some(Value::Text(text)),
        (None, Some(bytes)) => Value::from_base64(&bytes),
        _ => None,
    };
    let value = value.ok_or_else(|| {
        invalid(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{}'.",
            written.data_type
        ))
    })?;
    Ok(Attribute { data_type: written.data_type, value })
}

/// Writes an attribute.
pub(super) fn write(attribute: &Attribute) -> Written {
    let is_text = matches!(attribute.value, Value::Text(_));
    Written {
        data_type: attribute.data_type.clone(),
        string_value: is_text.then(|| attribute.value.written()),
        binary_value: (!is_text).then(|| attribute.value.written()),
        string_list_values: Vec::new(),
        binary_list_values: Vec::new(),
    }
}
