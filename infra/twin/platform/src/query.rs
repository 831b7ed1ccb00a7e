//! The parameters of one call in the AWS query protocol: `Actions.member.1.ForwardConfig.TargetGroups.member.2.Weight=3`.
//!
//! Read here rather than with a ready-made deserialiser because nested action and condition structures must not be lost.

use std::{collections::BTreeMap, str::FromStr};

use crate::{AwsError, Request};

/// All parameters of a call.
#[derive(Debug, Default)]
pub struct Params(BTreeMap<String, String>);

/// The parameters under one prefix; the empty prefix is the whole call.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    params: &'a Params,
    prefix: String,
}

impl Params {
    /// The parameters of a call: its body, or the query string when there is no body.
    pub fn of(request: &Request) -> Self {
        match request.body.is_empty() {
            true => Self::parse(request.uri.split_once('?').map_or("", |(_, query)| query).as_bytes()),
            false => Self::parse(&request.body),
        }
    }

    /// Reads a form-encoded body. Bytes that are no UTF-8 after decoding become U+FFFD.
    pub fn parse(body: &[u8]) -> Self {
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
                    (decode(&pair[..at]), decode(pair.get(at + 1..).unwrap_or_default()))
                })
                .collect(),
        )
    }

    /// The whole call.
    pub fn root(&self) -> Scope<'_> {
        Scope { params: self, prefix: String::new() }
    }

    /// The first name that is not in `known`, `Action` and `Version` aside: what a call asks beyond what is imitated.
    pub fn unknown<'a>(&'a self, known: &[&str]) -> Option<&'a str> {
        let first = |key: &'a String| key.split('.').next().unwrap_or(key);
        self.0.keys().map(first).find(|name| !matches!(*name, "Action" | "Version") && !known.contains(name))
    }
}

impl<'a> Scope<'a> {
    fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }

    /// The value of `name`, if given.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.params.0.get(&self.key(name)).map(String::as_str)
    }

    /// The value of `name`, which must be given and not be empty.
    ///
    /// # Errors
    /// `ValidationError`.
    pub fn require(&self, name: &str) -> Result<&'a str, AwsError> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| invalid(format!("'{}' is required", self.key(name))))
    }

    /// The value of `name` as a number or a boolean.
    ///
    /// # Errors
    /// `ValidationError` when it is none.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, AwsError> {
        let value = self.get(name);
        value
            .map(|text| {
                text.parse().map_err(|_| invalid(format!("'{text}' is not a valid value for '{}'", self.key(name))))
            })
            .transpose()
    }

    /// Whether anything is given under `name`.
    pub fn has(&self, name: &str) -> bool {
        let key = self.key(name);
        self.params.0.contains_key(&key) || self.scope_exists(&format!("{key}."))
    }

    fn scope_exists(&self, prefix: &str) -> bool {
        self.params.0.range(prefix.to_owned()..).next().is_some_and(|(key, _)| key.starts_with(prefix))
    }

    /// The structure `name`.
    pub fn scope(&self, name: &str) -> Scope<'a> {
        Scope { params: self.params, prefix: self.key(name) }
    }

    /// The members of the list `name` that are texts.
    pub fn texts(&self, name: &str) -> Vec<&'a str> {
        let list = self.key(name);
        (1..).map_while(|n| self.params.0.get(&format!("{list}.member.{n}"))).map(String::as_str).collect()
    }

    /// The members of the list `name` that are structures.
    pub fn list(&self, name: &str) -> Vec<Scope<'a>> {
        let list = self.key(name);
        self.members(&format!("{list}.member"))
    }

    /// The entries of the map `name`, whose wire name is `entry` (`Attributes.entry.1.key`).
    pub fn entries(&self, name: &str) -> Vec<Scope<'a>> {
        self.members(&format!("{}.entry", self.key(name)))
    }

    fn members(&self, list: &str) -> Vec<Scope<'a>> {
        (1..)
            .map(|n| format!("{list}.{n}"))
            .take_while(|prefix| self.scope_exists(&format!("{prefix}.")))
            .map(|prefix| Scope { params: self.params, prefix })
            .collect()
    }
}

/// A `ValidationError`.
pub fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("ValidationError", message)
}

/// A name or a value of a form, without its percent signs and pluses. What is no escape stays as it is.
pub fn decode(text: &[u8]) -> String {
    let hex = |byte: Option<&u8>| {
        byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let pair = (*byte == b'%').then(|| Some((hex(text.get(at + 1))?, hex(text.get(at + 2))?))).flatten();
        match (byte, pair) {
            (_, Some((high, low))) => {
                bytes.push(high << 4 | low);
                at += 2;
            }
            (b'+', None) => bytes.push(b' '),
            (other, None) => bytes.push(*other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_lists_and_utf8_survive() {
        let params = Params::parse(b"Action=X&Actions.member.1.ForwardConfig.TargetGroups.member.2.Weight=3&Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=1&Name=%C3%A9+a%2&Tags.member.1=");
        let root = params.root();
        assert_eq!(root.get("Name"), Some("é a%2"));
        let groups = root.list("Actions")[0].scope("ForwardConfig").list("TargetGroups");
        assert_eq!(groups.iter().map(|group| group.get("Weight")).collect::<Vec<_>>(), [Some("1"), Some("3")]);
        assert_eq!(params.unknown(&["Actions", "Name"]), Some("Tags"));
        let params = Params::parse(b"Attributes.entry.1.key=a&Attributes.entry.1.value=b&Attributes.entry.2.key=c");
        let keys: Vec<_> = params.root().entries("Attributes").iter().map(|entry| entry.get("key")).collect();
        assert_eq!(keys, [Some("a"), Some("c")]);
    }
}
