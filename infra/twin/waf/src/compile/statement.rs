//! Statements, and what each costs ("Rule statements" in the developer guide, WCUs).

use std::{cmp::Ordering, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;

use super::{Compiler, field::field, is_label, only_member, shape};
use crate::{
    engine::{
        address::{self, Origin},
        test::{LabelPattern, Position, Test},
    },
    error::{Refusal, invalid, not_imitated, reason},
};

/// Longest search string, and longest regular expression.
const MOST_SEARCH: usize = 200;
const MOST_REGEX: usize = 512;
/// A compiled expression: AWS's is small by the limit of its text, ours must not be made large by a repetition.
const REGEX_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Leaf {
    field_to_match: Value,
    text_transformations: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bytes {
    search_string: String,
    positional_constraint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Size {
    comparison_operator: String,
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sqli {
    sensitivity_level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pattern {
    regex_string: String,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    #[serde(rename = "ARN")]
    pub(super) arn: String,
}

#[derive(Deserialize)]
struct IpSet {
    #[serde(rename = "ARN")]
    arn: String,
    #[serde(rename = "IPSetForwardedIPConfig")]
    forwarded: Option<Forwarded>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Forwarded {
    header_name: String,
    fallback_behavior: String,
    position: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Label {
    scope: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Many {
    statements: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct One {
    statement: Value,
}

/// A regular expression as AWS takes it.
pub(crate) fn regex(text: &str, field: &'static str) -> Result<Regex, Refusal> {
    let built = RegexBuilder::new(text).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).build();
    match built {
        Ok(regex) if !text.is_empty() && text.len() <= MOST_REGEX => Ok(regex),
        _ => Err(invalid(reason::FORMAT, field, text)),
    }
}

/// `ForwardedIPConfig` of a statement.
pub(super) fn origin(forwarded: Option<&Forwarded>) -> Result<Origin, Refusal> {
    let Some(Forwarded { header_name, fallback_behavior, position }) = forwarded else { return Ok(Origin::Client) };
    let name = header_name.parse().map_err(|_| invalid(reason::FORMAT, "HEADER_NAME", header_name))?;
    let position = match position.as_deref() {
        None | Some("FIRST") => address::Position::First,
        Some("LAST") => address::Position::Last,
        Some("ANY") => address::Position::Any,
        Some(other) => return Err(invalid(reason::FORMAT, "POSITION", other)),
    };
    let fallback = match fallback_behavior.as_str() {
        "MATCH" => true,
        "NO_MATCH" => false,
        other => return Err(invalid(reason::FORMAT, "FALLBACK_BEHAVIOR", other)),
    };
    Ok(Origin::Header(name, position, fallback))
}

impl Compiler<'_> {
    /// A statement that can be nested.
    pub(super) fn statement(&mut self, value: &Value) -> Result<Test, Refusal> {
        let (kind, inner) = only_member(value, "STATEMENT", "Statement")?;
        match kind {
            "ByteMatchStatement" => self.byte_match(inner),
            "SizeConstraintStatement" => self.size(inner),
            "RegexMatchStatement" => {
                let Pattern { regex_string } = shape(inner)?;
                let regex = regex(&regex_string, "STATEMENT")?;
                Ok(Test::Regex(self.leaf(inner, 3)?, regex))
            }
            "RegexPatternSetReferenceStatement" => {
                let Reference { arn } = shape(inner)?;
                let patterns = self.around.state.patterns(&arn).ok_or_else(reference)?;
                Ok(Test::Patterns(self.leaf(inner, 25)?, patterns))
            }
            "SqliMatchStatement" => {
                let base = match shape::<Sqli>(inner)?.sensitivity_level.as_deref() {
                    None | Some("LOW") => 20,
                    Some("HIGH") => 30,
                    Some(other) => return Err(invalid(reason::FORMAT, "SQLI_MATCH_STATEMENT", other)),
                };
                Ok(Test::Sqli(self.leaf(inner, base)?))
            }
            "XssMatchStatement" => Ok(Test::Xss(self.leaf(inner, 40)?)),
            "IPSetReferenceStatement" => self.ip_set(inner),
            "LabelMatchStatement" => self.label_match(inner),
            "AndStatement" => Ok(Test::And(self.several(inner, "AND_STATEMENT", "AndStatement")?)),
            "OrStatement" => Ok(Test::Or(self.several(inner, "OR_STATEMENT", "OrStatement")?)),
            "NotStatement" => {
                let One { statement } = shape(inner)?;
                Ok(Test::Not(Box::new(self.statement(&statement)?)))
            }
            "RateBasedStatement" | "ManagedRuleGroupStatement" | "RuleGroupReferenceStatement" => {
                Err(invalid(reason::NESTED, "STATEMENT", kind))
            }
            "GeoMatchStatement" | "AsnMatchStatement" => Err(not_imitated(kind)),
            other => Err(invalid(reason::FORMAT, "STATEMENT", other)),
        }
    }

    /// The source of a statement, whose cost is added.
    fn leaf(&mut self, value: &Value, base: u64) -> Result<usize, Refusal> {
        let Leaf { field_to_match, text_transformations } = shape(value)?;
        let field = field(&field_to_match, &text_transformations)?;
        self.capacity += base * field.factor + field.units;
        Ok(self.source(field.source))
    }

    fn byte_match(&mut self, value: &Value) -> Result<Test, Refusal> {
        let Bytes { search_string, positional_constraint } = shape(value)?;
        let needle = BASE64_STANDARD.decode(&search_string).ok();
        let needle = needle.filter(|needle| (1..=MOST_SEARCH).contains(&needle.len()));
        let needle = needle.ok_or_else(|| invalid(reason::FORMAT, "BYTE_MATCH_STATEMENT", "SearchString"))?;
        let (position, base) = match positional_constraint.as_str() {
            "EXACTLY" => (Position::Exactly, 2),
            "STARTS_WITH" => (Position::StartsWith, 2),
            "ENDS_WITH" => (Position::EndsWith, 2),
            "CONTAINS" => (Position::Contains, 10),
            "CONTAINS_WORD" => (Position::ContainsWord, 10),
            other => return Err(invalid(reason::FORMAT, "BYTE_MATCH_STATEMENT", other)),
        };
        Ok(Test::Bytes(self.leaf(value, base)?, position, Box::new(memmem::Finder::new(&needle).into_owned())))
    }

    fn size(&mut self, value: &Value) -> Result<Test, Refusal> {
        let Size { comparison_operator, size } = shape(value)?;
        let wanted: &[Ordering] = match comparison_operator.as_str() {
            "EQ" => &[Ordering::Equal],
            "NE" => &[Ordering::Less, Ordering::Greater],
            "LE" => &[Ordering::Less, Ordering::Equal],
            "LT" => &[Ordering::Less],
            "GE" => &[Ordering::Greater, Ordering::Equal],
            "GT" => &[Ordering::Greater],
            other => return Err(invalid(reason::FORMAT, "SIZE_CONSTRAINT_STATEMENT", other)),
        };
        Ok(Test::Size(self.leaf(value, 1)?, wanted, size))
    }

    fn ip_set(&mut self, value: &Value) -> Result<Test, Refusal> {
        let IpSet { arn, forwarded } = shape(value)?;
        let ranges = self.around.state.ranges(&arn).ok_or_else(reference)?;
        let origin = origin(forwarded.as_ref())?;
        self.capacity += if matches!(origin, Origin::Header(_, address::Position::Any, _)) { 5 } else { 1 };
        Ok(Test::Address(origin, Arc::clone(&ranges)))
    }

    fn label_match(&mut self, value: &Value) -> Result<Test, Refusal> {
        let Label { scope, key } = shape(value)?;
        let namespace = match scope.as_str() {
            "LABEL" => false,
            "NAMESPACE" => true,
            other => return Err(invalid(reason::FORMAT, "LABEL_MATCH_STATEMENT", other)),
        };
        if !is_label(&key) || namespace != key.ends_with(':') {
            return Err(invalid(reason::FORMAT, "LABEL_MATCH_STATEMENT", key));
        }
        self.capacity += 1;
        let own = (!key.starts_with("awswaf:")).then(|| self.namespace.clone());
        Ok(Test::Label(LabelPattern { own, key, namespace }))
    }

    fn several(&mut self, value: &Value, field: &'static str, parameter: &str) -> Result<Vec<Test>, Refusal> {
        let Many { statements } = shape(value)?;
        if statements.len() < 2 {
            return Err(invalid(reason::TOO_FEW, field, parameter));
        }
        statements.iter().map(|statement| self.statement(statement)).collect()
    }
}

/// A set or a group that is not there.
pub(super) fn reference() -> Refusal {
    invalid(reason::REFERENCE, "RULE", "Statement")
}
