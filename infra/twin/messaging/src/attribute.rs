//! Message attributes, which SNS and SQS share: a name, a data type, and a text or bytes.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::{Digest as _, Md5};

/// The attributes of one message, by name.
pub(crate) type Attributes = BTreeMap<String, Attribute>;

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// `String`, `Number` or `Binary`, with a caller's own label after a dot (`String.Array`).
    pub(crate) data_type: String,
    pub(crate) value: Value,
}

/// The value of an attribute. A number is a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// The value from base64.
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        BASE64_STANDARD.decode(text).ok().map(Self::Bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The value as it is written in JSON: a text as it is, bytes as base64.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => BASE64_STANDARD.encode(bytes),
        }
    }
}

impl Attribute {
    /// What is wrong with an attribute, as SQS puts it; none when nothing is ("Amazon SQS message metadata", Developer Guide).
    pub(crate) fn complaint(&self, name: &str) -> Option<String> {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let lower = name.to_ascii_lowercase();
        let kind = self.data_type.split('.').next().unwrap_or_default();
        if name.is_empty() || name.len() > 256 || !name.bytes().all(letters) {
            return Some(format!(
                "Message (user) attribute name '{name}' is not 1 to 256 letters, digits, '_', '-' or '.'."
            ));
        }
        if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
            return Some(format!(
                "Message (user) attribute name '{name}' starts or ends with a period or has two in a row."
            ));
        }
        if lower.starts_with("aws.") || lower.starts_with("amazon.") {
            return Some(format!("Message (user) attribute name '{name}' starts with a reserved prefix."));
        }
        if !matches!(kind, "String" | "Number" | "Binary") || self.data_type.len() > 256 {
            return Some(format!(
                "The type of message (user) attribute '{name}' is invalid. You must use only the following supported type \
                 prefixes: Binary, Number, String."
            ));
        }
        if self.value.bytes().is_empty() || matches!(self.value, Value::Bytes(_)) != (kind == "Binary") {
            return Some(format!("Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."));
        }
        match &self.value {
            Value::Text(text) if kind == "Number" && text.parse::<f64>().map_or(true, |number| !number.is_finite()) => {
                Some(format!("Can't cast the value of message (user) attribute '{name}' to a number."))
            }
            _ => None,
        }
    }
}

/// Bytes that attributes add to a message's size: names, types and values.
pub(crate) fn size(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, it)| name.len() + it.data_type.len() + it.value.bytes().len()).sum()
}

/// MD5 of a text, in hexadecimal.
pub(crate) fn md5_of(text: &str) -> String {
    hex(Md5::digest(text))
}

/// `MD5OfMessageAttributes` ("Calculating the MD5 message digest for message attributes", Developer Guide); none without any.
pub(crate) fn md5_of_attributes<'a>(attributes: impl Iterator<Item = (&'a str, &'a Attribute)>) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    let part = |digest: &mut Md5, bytes: &[u8]| {
        digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        digest.update(bytes);
    };
    for (name, attribute) in attributes {
        any = true;
        part(&mut digest, name.as_bytes());
        part(&mut digest, attribute.data_type.as_bytes());
        digest.update([if matches!(attribute.value, Value::Text(_)) { 1 } else { 2 }]);
        part(&mut digest, attribute.value.bytes());
    }
    any.then(|| hex(digest.finalize()))
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data_type: &str, value: &str) -> Attribute {
        Attribute { data_type: data_type.into(), value: Value::Text(value.into()) }
    }

    #[test]
    fn digests_are_those_that_clients_compute() {
        assert_eq!(md5_of("msg"), "6e2baaf3b97dbeef01c0043275f9a0e7");
        // What AWS answered for these three.
        let attributes: Attributes = [("General", "Kenobi"), ("Hello", "There"), ("Help.Me", "Me")]
            .map(|(name, value)| (name.to_owned(), text("String", value)))
            .into();
        let digest = md5_of_attributes(attributes.iter().map(|(name, it)| (name.as_str(), it)));
        assert_eq!(digest.as_deref(), Some("4c360f3fdafd970e05fae2f149d997f5"));
        assert_eq!(md5_of_attributes(std::iter::empty()), None);
    }

    #[test]
    fn bad_attributes_are_named() {
        assert_eq!(text("String", "a").complaint("a-b.c_1"), None);
        assert_eq!(text("Number.int", "-1.5e3").complaint("n"), None);
        for (name, attribute) in [
            ("AWS.x", text("String", "a")),
            ("a..b", text("String", "a")),
            ("", text("String", "a")),
            ("a", text("Text", "a")),
            ("a", text("String", "")),
            ("a", text("Number", "NaN")),
            ("a", text("Binary", "a")),
        ] {
            assert!(attribute.complaint(name).is_some(), "{name} {attribute:?}");
        }
    }
}
