//! Filter policies on message attributes ("Amazon SNS subscription filter policies", Developer Guide).
//!
//! Every key must match; a key matches when one of its conditions does. Understood: texts, numbers, `prefix`, `suffix`,
//! `equals-ignore-case`, `anything-but` (texts, numbers, prefix, suffix), `numeric`, `exists`. Refused by name: `$or`, `cidr`,
//! `wildcard`, nested keys, which are for message bodies.

use serde_json::Value;
use twin_platform::AwsError;

use super::error::{invalid, refused};
use crate::attribute::{Attribute, Attributes};

/// "A policy can have a maximum of five attribute names."
const MAX_KEYS: usize = 5;
/// Most combinations of values that a policy may have.
const MAX_COMBINATIONS: usize = 150;

/// A policy that was read.
#[derive(Debug)]
pub(super) struct Filter {
    /// As the caller wrote it.
    pub(super) text: String,
    keys: Vec<(String, Vec<Condition>)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Is(Scalar),
    Prefix(String),
    Suffix(String),
    IgnoreCase(String),
    AnythingBut(Vec<Condition>),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// What an attribute holds, and what a policy asks for.
#[derive(Clone, Debug, PartialEq)]
enum Scalar {
    Text(String),
    Number(f64),
    Flag(bool),
    Null,
}

impl Filter {
    /// Reads a policy.
    ///
    /// # Errors
    /// `InvalidParameter` says which key is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, AwsError> {
        let bad = |reason: String| invalid(format!("FilterPolicy: {reason}"));
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(bad("failed to parse JSON.".into()));
        };
        let mut keys = Vec::new();
        for (key, value) in members {
            if key == "$or" || value.is_object() {
                return Err(refused(format!("the filter policy key {key} ($or, or nested)")));
            }
            let conditions = value.as_array().filter(|list| !list.is_empty());
            let conditions = conditions.ok_or_else(|| bad(format!("\"{key}\" must be an object or an array")))?;
            let conditions: Result<Vec<_>, _> = conditions.iter().map(|value| condition(&key, value)).collect();
            keys.push((key, conditions?));
        }
        if keys.len() > MAX_KEYS {
            return Err(bad("Filter policy can not have more than 5 keys".into()));
        }
        if keys.iter().map(|(_, conditions)| conditions.len()).fold(1, usize::saturating_mul) > MAX_COMBINATIONS {
            return Err(bad("Filter policy is too complex".into()));
        }
        Ok(Self { text: text.to_owned(), keys })
    }

    /// Whether a message with these attributes gets through.
    pub(super) fn lets_through(&self, attributes: &Attributes) -> bool {
        self.keys.iter().all(|(key, conditions)| {
            let values = attributes.get(key).map(values);
            conditions.iter().any(|condition| match (condition, &values) {
                (Condition::Exists(wanted), values) => *wanted == values.is_some(),
                (_, None) => false,
                (condition, Some(values)) => values.iter().any(|value| condition.matches(value)),
            })
        })
    }
}

impl Condition {
    fn matches(&self, value: &Scalar) -> bool {
        let text = if let Scalar::Text(text) = value { Some(text.as_str()) } else { None };
        match self {
            Self::Is(wanted) => wanted == value,
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
            Self::IgnoreCase(wanted) => text.is_some_and(|text| text.to_lowercase() == wanted.to_lowercase()),
            Self::AnythingBut(unwanted) => !unwanted.iter().any(|condition| condition.matches(value)),
            Self::Numeric(bounds) => match value {
                Scalar::Number(number) => bounds.iter().all(|(comparison, bound)| comparison.holds(*number, *bound)),
                _ => false,
            },
            Self::Exists(wanted) => *wanted,
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Equal => number == bound,
            Self::Below => number < bound,
            Self::AtMost => number <= bound,
            Self::Above => number > bound,
            Self::AtLeast => number >= bound,
        }
    }
}

/// The values of an attribute: several of a `String.Array`, none of a `Binary`.
fn values(attribute: &Attribute) -> Vec<Scalar> {
    let written = attribute.value.written();
    match attribute.data_type.as_str() {
        "String.Array" => match serde_json::from_str(&written) {
            Ok(Value::Array(list)) => list.iter().filter_map(scalar).collect(),
            Ok(other) => scalar(&other).into_iter().collect(),
            Err(_) => vec![Scalar::Text(written)],
        },
        kind if kind.starts_with("Number") => written.parse().map(Scalar::Number).into_iter().collect(),
        kind if kind.starts_with("Binary") => Vec::new(),
        _ => vec![Scalar::Text(written)],
    }
}

fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Number(number) => number.as_f64().map(Scalar::Number),
        Value::Bool(flag) => Some(Scalar::Flag(*flag)),
        Value::Null => Some(Scalar::Null),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn condition(key: &str, value: &Value) -> Result<Condition, AwsError> {
    let bad = |reason: &str| invalid(format!("FilterPolicy: {reason} for key {key}"));
    if let Some(scalar) = scalar(value) {
        return Ok(Condition::Is(scalar));
    }
    let operator = value.as_object().filter(|operator| operator.len() == 1).and_then(|operator| operator.iter().next());
    let (operator, operand) =
        operator.ok_or_else(|| bad("Match value must be String, number, true, false, or null"))?;
    let text = || {
        operand.as_str().map(str::to_owned).ok_or_else(|| bad(&format!("{operator} match pattern must be a string")))
    };
    match operator.as_str() {
        "prefix" => text().map(Condition::Prefix),
        "suffix" => text().map(Condition::Suffix),
        "equals-ignore-case" => text().map(Condition::IgnoreCase),
        "exists" => operand
            .as_bool()
            .map(Condition::Exists)
            .ok_or_else(|| bad("exists match pattern must be either true or false.")),
        "numeric" => numeric(operand)
            .map(Condition::Numeric)
            .ok_or_else(|| bad("Value of numeric must be pairs of operator and number")),
        "anything-but" => {
            let list = operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice);
            let conditions: Result<Vec<_>, _> = list.iter().map(|value| condition(key, value)).collect();
            let conditions = conditions?;
            let fits = |condition: &Condition| {
                matches!(condition, Condition::Is(_) | Condition::Prefix(_) | Condition::Suffix(_))
            };
            match conditions.is_empty() || !conditions.iter().all(fits) {
                true => Err(bad("Value of anything-but must be an array or single string/number value")),
                false => Ok(Condition::AnythingBut(conditions)),
            }
        }
        other => Err(refused(format!("the filter policy operator {other} (of key {key})"))),
    }
}

/// `["=", 5]` or `[">=", 1, "<", 9]`.
fn numeric(operand: &Value) -> Option<Vec<(Comparison, f64)>> {
    let list = operand.as_array().filter(|list| matches!(list.len(), 2 | 4))?;
    list.chunks(2)
        .map(|pair| {
            let comparison = match pair[0].as_str()? {
                "=" => Comparison::Equal,
                "<" => Comparison::Below,
                "<=" => Comparison::AtMost,
                ">" => Comparison::Above,
                ">=" => Comparison::AtLeast,
                _ => return None,
            };
            Some((comparison, pair[1].as_f64()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Value as Held;

    fn attributes(list: &[(&str, &str, &str)]) -> Attributes {
        list.iter()
            .map(|(name, data_type, value)| {
                let value = Held::Text((*value).to_owned());
                ((*name).to_owned(), Attribute { data_type: (*data_type).to_owned(), value })
            })
            .collect()
    }

    #[test]
    fn each_condition_lets_through_what_it_says() {
        let message = attributes(&[
            ("kind", "String", "order-placed"),
            ("price", "Number", "100.0"),
            ("tags", "String.Array", r#"["a", 5, true]"#),
        ]);
        for (policy, expected) in [
            (r#"{"kind":["order-placed"]}"#, true),
            (r#"{"kind":["other","order-placed"],"price":[100]}"#, true),
            (r#"{"kind":["order-placed"],"price":[99]}"#, false),
            (r#"{"missing":["x"]}"#, false),
            (r#"{"kind":[{"prefix":"order"}]}"#, true),
            (r#"{"kind":[{"suffix":"-placed"}]}"#, true),
            (r#"{"kind":[{"equals-ignore-case":"ORDER-placed"}]}"#, true),
            (r#"{"kind":[{"anything-but":["x","y"]}]}"#, true),
            (r#"{"kind":[{"anything-but":{"prefix":"order"}}]}"#, false),
            (r#"{"missing":[{"anything-but":"x"}]}"#, false),
            (r#"{"price":[{"numeric":[">=",1,"<",101]}]}"#, true),
            (r#"{"price":[{"numeric":["=",1]}]}"#, false),
            (r#"{"missing":[{"exists":false}]}"#, true),
            (r#"{"kind":[{"exists":true}]}"#, true),
            (r#"{"kind":[{"exists":false}]}"#, false),
            (r#"{"tags":["a"]}"#, true),
            (r#"{"tags":[5]}"#, true),
            (r#"{"tags":[false]}"#, false),
            ("{}", true),
        ] {
            let filter = Filter::parse(policy).expect(policy);
            assert_eq!(filter.lets_through(&message), expected, "{policy}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (policy, code) in [
            ("", "InvalidParameter"),
            (r#"{"a":"b"}"#, "InvalidParameter"),
            (r#"{"a":[]}"#, "InvalidParameter"),
            (r#"{"a":[{"numeric":["~",1]}]}"#, "InvalidParameter"),
            (r#"{"a":[{"anything-but":[]}]}"#, "InvalidParameter"),
            (r#"{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}"#, "InvalidParameter"),
            (r#"{"$or":[]}"#, "NotImplemented"),
            (r#"{"a":{"b":[1]}}"#, "NotImplemented"),
            (r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#, "NotImplemented"),
        ] {
            assert_eq!(Filter::parse(policy).map_err(|error| error.code).err().as_deref(), Some(code), "{policy}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_policy_is_read_or_refused(text in r#"[{}\[\]":,a-z0-9 ]{0,40}"#) {
            let _ = Filter::parse(&text).map(|filter| filter.lets_through(&Attributes::new()));
        }
    }
}
