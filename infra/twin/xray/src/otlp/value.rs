//! Attribute values: looked at, and written as JSON.

use std::fmt::Write as _;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

use crate::{
    json::{object, push_text},
    segment::Scalar,
};

/// The text, if it is one.
pub(super) fn text(value: Option<&AnyValue>) -> Option<&str> {
    match value?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The whole number, also when it is written as text or with a decimal point.
pub(super) fn integer(value: Option<&AnyValue>) -> Option<i64> {
    match value?.value.as_ref()? {
        Value::IntValue(number) => Some(*number),
        // Saturates; nobody's status or port is that large.
        Value::DoubleValue(number) => Some(*number as i64),
        Value::StringValue(text) => text.parse().ok(),
        _ => None,
    }
}

/// The texts of a list, or the one text.
pub(super) fn texts(value: Option<&AnyValue>) -> Vec<&str> {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::ArrayValue(list)) => list.values.iter().filter_map(|value| text(Some(value))).collect(),
        Some(Value::StringValue(text)) => vec![text],
        _ => Vec::new(),
    }
}

/// What can be an annotation.
pub(super) fn scalar(value: Option<&AnyValue>) -> Option<Scalar> {
    match value?.value.as_ref()? {
        Value::StringValue(text) => Some(Scalar::Text(text.as_str().into())),
        Value::BoolValue(value) => Some(Scalar::Bool(*value)),
        Value::IntValue(number) => Some(Scalar::Number(*number as f64)),
        Value::DoubleValue(number) if number.is_finite() => Some(Scalar::Number(*number)),
        _ => None,
    }
}

/// Appends the value as JSON: bytes as hexadecimal digits, numbers that JSON does not have as text.
pub(super) fn push(out: &mut String, value: Option<&AnyValue>) {
    let write = |out: &mut String, arguments: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = out.write_fmt(arguments);
    };
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => out.push_str("null"),
        Some(Value::StringValue(text)) => push_text(out, text),
        Some(Value::BoolValue(value)) => write(out, format_args!("{value}")),
        Some(Value::IntValue(number)) => write(out, format_args!("{number}")),
        Some(Value::DoubleValue(number)) if number.is_finite() => write(out, format_args!("{number}")),
        Some(Value::DoubleValue(number)) => write(out, format_args!("\"{number}\"")),
        Some(Value::BytesValue(bytes)) => {
            out.push('"');
            bytes.iter().for_each(|byte| write(out, format_args!("{byte:02x}")));
            out.push('"');
        }
        Some(Value::ArrayValue(list)) => {
            out.push('[');
            for (nth, value) in list.values.iter().enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                push(out, Some(value));
            }
            out.push(']');
        }
        Some(Value::KvlistValue(list)) => object(out, |members| {
            for KeyValue { key, value, .. } in &list.values {
                members.value(key, |out| push(out, value.as_ref()));
            }
        }),
    }
}
