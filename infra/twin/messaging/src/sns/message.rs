//! What is published, and the rules it must keep ("Publish", API reference).

use std::collections::BTreeMap;

use serde_json::Value;
use twin_platform::AwsError;

use super::error::invalid;
use crate::attribute::{self, Attributes};

/// Longest subject, in characters.
pub(super) const MAX_SUBJECT: usize = 100;
/// Largest message with its attributes, in bytes.
pub(super) const MAX_BYTES: usize = 256 << 10;

/// A message that is valid.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) subject: Option<String>,
    /// The text for every protocol that `texts` does not name.
    text: String,
    /// By protocol, of a message with `MessageStructure=json`.
    texts: BTreeMap<String, String>,
    pub(super) attributes: Attributes,
}

impl Publication {
    /// Checks a message.
    ///
    /// # Errors
    /// `InvalidParameter`, and `ParameterValueInvalid` for an attribute.
    pub(super) fn new(
        subject: Option<String>,
        message: String,
        structure: Option<&str>,
        attributes: Attributes,
    ) -> Result<Self, AwsError> {
        if message.is_empty() {
            return Err(invalid("Empty message"));
        }
        let fits = |subject: &String| {
            (1..=MAX_SUBJECT).contains(&subject.chars().count()) && !subject.contains(char::is_control)
        };
        if subject.as_ref().is_some_and(|subject| !fits(subject)) {
            return Err(invalid("Subject"));
        }
        if message.len() + attribute::size(&attributes) > MAX_BYTES {
            return Err(invalid("Message too long"));
        }
        if let Some(complaint) = attributes.iter().find_map(|(name, attribute)| attribute.complaint(name)) {
            return Err(AwsError::client("ParameterValueInvalid", complaint));
        }
        let (text, texts) = match structure {
            None => (message, BTreeMap::new()),
            Some("json") => texts(&message)?,
            Some(_) => return Err(invalid("MessageStructure")),
        };
        Ok(Self { subject, text, texts, attributes })
    }

    /// The text that subscribers of a protocol get.
    pub(super) fn text_for(&self, protocol: &str) -> &str {
        self.texts.get(protocol).unwrap_or(&self.text)
    }
}

fn texts(message: &str) -> Result<(String, BTreeMap<String, String>), AwsError> {
    let Ok(Value::Object(members)) = serde_json::from_str(message) else {
        return Err(invalid("Message Structure - JSON message body failed to parse"));
    };
    // Members that are no text are left out, and so are protocols that nobody knows.
    let mut texts: BTreeMap<String, String> =
        members.into_iter().filter_map(|(name, value)| value.as_str().map(|text| (name, text.to_owned()))).collect();
    let text =
        texts.remove("default").ok_or_else(|| invalid("Message Structure - No default entry in JSON message body"))?;
    Ok((text, texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(subject: Option<&str>, message: &str, structure: Option<&str>) -> Result<Publication, String> {
        Publication::new(subject.map(str::to_owned), message.to_owned(), structure, Attributes::new())
            .map_err(|error| error.message)
    }

    #[test]
    fn subjects_and_structures_are_checked() {
        assert!(with(Some("ALARM: \"x\" in Ireland"), "text", None).is_ok());
        for subject in ["", "two\nlines", &"x".repeat(101)] {
            assert_eq!(with(Some(subject), "text", None).err().as_deref(), Some("Invalid parameter: Subject"));
        }
        assert_eq!(with(None, "", None).err().as_deref(), Some("Invalid parameter: Empty message"));
        let long = "x".repeat(MAX_BYTES + 1);
        assert_eq!(with(None, &long, None).err().as_deref(), Some("Invalid parameter: Message too long"));
        let each = with(None, r#"{"default":"d","sqs":"q"}"#, Some("json")).expect("valid");
        assert_eq!((each.text_for("sqs"), each.text_for("http")), ("q", "d"));
        for bad in ["{}", "[]", "text", r#"{"default":1}"#] {
            assert!(with(None, bad, Some("json")).is_err(), "{bad}");
        }
    }
}
