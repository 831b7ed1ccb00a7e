//! AWS JSON 1.0: timestamps are seconds since the epoch.

use serde_json::{Map, Number, Value as Json};
use twin_platform::AwsError;

use super::{Value, malformed};

/// Reads a body; an empty one is an empty structure.
pub(super) fn read(body: &[u8]) -> Result<Value, AwsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    // serde_json itself stops at 128 levels.
    let json: Json =
        serde_json::from_slice(body).map_err(|error| malformed(format!("The body is no JSON: {error}")))?;
    if json.is_object() { Ok(value(json)) } else { Err(malformed("The body is no JSON object")) }
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(flag),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Number(number.as_f64().unwrap_or(f64::NAN)), Value::Integer)
        }
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(value).collect()),
        Json::Object(members) => {
            let present = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Map(present.map(|(name, member)| (name, value(member))).collect())
        }
    }
}

/// Writes an answer.
pub(super) fn write(output: &Value) -> String {
    json(output).to_string()
}

fn json(output: &Value) -> Json {
    match output {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Integer(integer) => Json::from(*integer),
        Value::Number(number) => number_or_name(*number),
        Value::Text(text) => Json::String(text.clone()),
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of this era have 41 bits")]
        Value::Moment(epoch_ms) => number_or_name(*epoch_ms as f64 / 1000.0),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(members) | Value::Dictionary(members) => {
            let present = members.iter().filter(|(_, member)| *member != Value::Null);
            Json::Object(present.map(|(name, member)| (name.clone(), json(member))).collect::<Map<_, _>>())
        }
    }
}

/// JSON has no infinity; AWS writes such a number by its name.
fn number_or_name(number: f64) -> Json {
    Number::from_f64(number).map_or_else(|| Json::String(number.to_string()), Json::Number)
}
