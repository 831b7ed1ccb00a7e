//! `parse`: fields out of text, by wildcards or by the groups of a regular expression ("parse" in the user guide).

use regex::bytes::Regex;

use super::{
    expression::{Expression, Scope},
    value::Value,
};

#[derive(Clone, Debug)]
pub(super) struct Extract {
    pub(super) from: Expression,
    pub(super) by: By,
}

#[derive(Clone, Debug)]
pub(super) enum By {
    /// The text before, between and after the asterisks, and the slots of what stands for these.
    Wildcards { texts: Vec<String>, slots: Vec<usize> },
    /// Groups by number, each with its slot.
    Groups { expression: Regex, groups: Vec<(usize, usize)> },
}

impl Extract {
    /// Fills the slots; when the text does not match, all of them are missing.
    pub(super) fn apply(&self, slots: &mut [Value], now_ms: i64) {
        let text = self.from.value(Scope { slots, aggregates: &[], now_ms }).into_owned();
        let text = text.written();
        match &self.by {
            By::Wildcards { texts, slots: targets } => {
                let found = text.as_deref().and_then(|text| split(text, texts));
                for (index, slot) in targets.iter().enumerate() {
                    let value = found.as_ref().and_then(|found| found.get(index));
                    slots[*slot] = value.map_or(Value::Missing, |value| Value::text(*value));
                }
            }
            By::Groups { expression, groups } => {
                let found = text.as_deref().and_then(|text| expression.captures(text.as_bytes()));
                for (group, slot) in groups {
                    let value = found.as_ref().and_then(|found| found.get(*group));
                    // A class may end within a character, since classes are ASCII.
                    slots[*slot] =
                        value.map_or(Value::Missing, |value| Value::text(String::from_utf8_lossy(value.as_bytes())));
                }
            }
        }
    }
}

/// What stands between the texts: each as short as it can be, the last up to the end when no text follows it.
fn split<'t>(text: &'t str, texts: &[String]) -> Option<Vec<&'t str>> {
    let (first, others) = texts.split_first()?;
    let mut rest = &text[text.find(first)? + first.len()..];
    let mut found = Vec::with_capacity(others.len());
    for (index, next) in others.iter().enumerate() {
        let end = if next.is_empty() && index + 1 == others.len() { rest.len() } else { rest.find(next)? };
        found.push(&rest[..end]);
        rest = &rest[end + next.len()..];
    }
    Some(found)
}
