//! Rate-based statements.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Compiler,
    field::transforms,
    only_member, shape,
    statement::{Forwarded, origin},
};
use crate::{
    engine::{
        address::Origin,
        program::{Rule, Work},
        rate::RateTable,
        test::{Rate, RateKey, RateKeys, Test},
    },
    error::{Refusal, invalid, not_imitated, reason},
};

const LIMIT: std::ops::RangeInclusive<u64> = 10..=2_000_000_000;
const WINDOWS_S: [u64; 4] = [60, 120, 300, 600];
const MOST_KEYS: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    limit: u64,
    aggregate_key_type: String,
    #[serde(default = "five_minutes")]
    evaluation_window_sec: u64,
    #[serde(default)]
    scope_down_statement: Value,
    #[serde(rename = "ForwardedIPConfig")]
    forwarded: Option<Forwarded>,
    #[serde(default)]
    custom_keys: Vec<Value>,
}

const fn five_minutes() -> u64 {
    300
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    name: Option<String>,
    #[serde(default)]
    text_transformations: Value,
    namespace: Option<String>,
}

fn wrong(parameter: impl Into<String>) -> Refusal {
    invalid(reason::FORMAT, "RATE_BASED_STATEMENT", parameter)
}

impl Compiler<'_> {
    /// A rate-based statement. A rule that had the same one keeps its counts.
    pub(super) fn rate(&mut self, value: &Value, kept: Option<&Rule>) -> Result<Test, Refusal> {
        let given: Given = shape(value)?;
        if !LIMIT.contains(&given.limit) {
            return Err(wrong(given.limit.to_string()));
        }
        if !WINDOWS_S.contains(&given.evaluation_window_sec) {
            return Err(wrong(given.evaluation_window_sec.to_string()));
        }
        self.capacity += 2 + 30 * given.custom_keys.len() as u64;
        let keys = self.keys(&given)?;
        let scope = match &given.scope_down_statement {
            Value::Null if matches!(keys, RateKeys::Constant) => {
                return Err(invalid(reason::NOT_ONE, "SCOPE_DOWN", "ScopeDownStatement"));
            }
            Value::Null => None,
            statement => Some(self.statement(statement)?),
        };
        let old = kept.and_then(|rule| match &rule.work {
            Work::Single(single) => single.test.rate().map(|rate| Arc::clone(&rate.table)),
            Work::Group(_) => None,
        });
        let fresh = || Arc::new(RateTable::new(given.limit, given.evaluation_window_sec, self.around.speed));
        Ok(Test::Rate(Box::new(Rate { keys, scope, table: old.unwrap_or_else(fresh) })))
    }

    fn keys(&self, given: &Given) -> Result<RateKeys, Refusal> {
        match (given.aggregate_key_type.as_str(), &given.forwarded, &given.custom_keys[..]) {
            ("IP", None, []) => Ok(RateKeys::Address(Origin::Client)),
            ("CONSTANT", None, []) => Ok(RateKeys::Constant),
            ("FORWARDED_IP", Some(forwarded), []) => Ok(RateKeys::Address(origin(Some(forwarded))?)),
            ("CUSTOM_KEYS", forwarded, keys @ [_, ..]) if keys.len() <= MOST_KEYS => {
                let keys = keys.iter().map(|key| custom_key(key, forwarded.as_ref()));
                Ok(RateKeys::Custom(keys.collect::<Result<_, _>>()?))
            }
            ("IP" | "CONSTANT" | "FORWARDED_IP" | "CUSTOM_KEYS", _, _) => {
                Err(invalid(reason::NOT_ONE, "RATE_BASED_STATEMENT", &given.aggregate_key_type))
            }
            (other, _, _) => Err(wrong(other)),
        }
    }
}

fn custom_key(value: &Value, forwarded: Option<&Forwarded>) -> Result<RateKey, Refusal> {
    let (kind, part) = only_member(value, "CUSTOM_KEYS", "CustomKeys")?;
    let part: Part = shape(part)?;
    let name = || part.name.clone().filter(|name| !name.is_empty()).ok_or_else(|| wrong("Name"));
    let transformed = || transforms(&part.text_transformations);
    Ok(match kind {
        "IP" => RateKey::Address(Origin::Client),
        "ForwardedIP" => match forwarded {
            Some(_) => RateKey::Address(origin(forwarded)?),
            None => return Err(invalid(reason::NOT_ONE, "FORWARDED_IP_CONFIG", "ForwardedIPConfig")),
        },
        "HTTPMethod" => RateKey::Method,
        "Header" => RateKey::Header(name()?.parse().map_err(|_| wrong("Name"))?, transformed()?),
        "Cookie" => RateKey::Cookie(name()?, transformed()?),
        "QueryArgument" => RateKey::Argument(name()?.to_ascii_lowercase(), transformed()?),
        "QueryString" => RateKey::Query(transformed()?),
        "UriPath" => RateKey::Path(transformed()?),
        "LabelNamespace" => RateKey::LabelNamespace(
            part.namespace.filter(|namespace| namespace.ends_with(':')).ok_or_else(|| wrong("Namespace"))?,
        ),
        "JA3Fingerprint" | "JA4Fingerprint" | "ASN" => return Err(not_imitated(&format!("CustomKeys with {kind}"))),
        other => return Err(invalid(reason::FORMAT, "CUSTOM_KEYS", other)),
    })
}
