//! The output of the query protocol.

use std::fmt::Write as _;

use twin_platform::Response;
use winterbaume_core::{aws_query_response, xml_escape};

use super::{Value, moment};

const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// The answer to `action`, with an empty result element where AWS leaves it out; clients read both the same.
pub(super) fn answer(action: &str, output: &Value) -> Response {
    let mut content = String::new();
    write(&mut content, output);
    aws_query_response(action, NAMESPACE, &content)
}

fn write(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => text(xml, &flag.to_string()),
        Value::Integer(integer) => text(xml, &integer.to_string()),
        Value::Number(number) => text(xml, &format!("{number:?}")),
        Value::Text(content) => text(xml, content),
        Value::Moment(epoch_ms) => text(xml, &moment::iso(*epoch_ms)),
        Value::List(items) => items.iter().for_each(|item| element(xml, "member", item)),
        Value::Dictionary(entries) => {
            for (key, entry) in entries {
                element(xml, "entry", &Value::map([("key", key.into()), ("value", entry.clone())]));
            }
        }
        Value::Map(members) => members.iter().for_each(|(name, member)| element(xml, name, member)),
    }
}

fn element(xml: &mut String, name: &str, value: &Value) {
    if *value == Value::Null {
        return;
    }
    let _ = write!(xml, "<{name}>");
    write(xml, value);
    let _ = write!(xml, "</{name}>");
}

/// Characters that XML 1.0 cannot carry are left out.
fn text(xml: &mut String, content: &str) {
    let carried: String = content.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
    xml.push_str(&xml_escape(&carried));
}
