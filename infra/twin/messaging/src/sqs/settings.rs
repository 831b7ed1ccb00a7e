//! The attributes of a queue that a caller may set ("SetQueueAttributes", API reference).

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde_json::Value;
use twin_platform::AwsError;

use super::error::{bad_value, invalid};

/// Largest message, in bytes, and the default: 1 MiB since August 2025.
const MAX_MESSAGE_BYTES: i64 = 1 << 20;

/// What can be set on a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(super) delay_s: i64,
    pub(super) maximum_bytes: usize,
    pub(super) retention_s: i64,
    pub(super) wait_s: i64,
    pub(super) visibility_s: i64,
    pub(super) policy: Option<String>,
    pub(super) redrive: Option<Redrive>,
    pub(super) fifo: bool,
    pub(super) content_deduplication: bool,
    /// `DeduplicationScope=messageGroup`: the same id in two groups is two messages.
    pub(super) deduplicate_by_group: bool,
}

/// Where messages go that nobody manages to handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redrive {
    /// The policy as the caller wrote it.
    text: String,
    pub(super) target_arn: String,
    /// 1–1000. A message that was received so often is moved instead of being received once more.
    pub(super) max_receives: u32,
}

impl Settings {
    /// The defaults.
    pub(super) fn new(fifo: bool) -> Self {
        Self {
            delay_s: 0,
            maximum_bytes: usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX),
            retention_s: 345_600,
            wait_s: 0,
            visibility_s: 30,
            policy: None,
            redrive: None,
            fifo,
            content_deduplication: false,
            deduplicate_by_group: false,
        }
    }

    /// Sets one attribute.
    ///
    /// # Errors
    /// `InvalidAttributeName`, `InvalidAttributeValue`, or what the twin refuses by name.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), AwsError> {
        match name {
            "DelaySeconds" => self.delay_s = number(name, value, 0..=900)?,
            "MaximumMessageSize" => {
                let bytes = number(name, value, 1024..=MAX_MESSAGE_BYTES)?;
                self.maximum_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            }
            "MessageRetentionPeriod" => self.retention_s = number(name, value, 60..=1_209_600)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_s = number(name, value, 0..=20)?,
            "VisibilityTimeout" => self.visibility_s = number(name, value, 0..=43_200)?,
            "Policy" => self.policy = object(name, value)?.map(|_| value.to_owned()),
            "RedrivePolicy" => self.redrive = object(name, value)?.map(|policy| redrive(value, &policy)).transpose()?,
            "FifoQueue" if flag(name, value)? == self.fifo => {}
            "FifoQueue" => return Err(unknown(name)),
            "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit" if !self.fifo => {
                return Err(unknown(name));
            }
            "ContentBasedDeduplication" => self.content_deduplication = flag(name, value)?,
            "DeduplicationScope" => {
                self.deduplicate_by_group = match value {
                    "queue" => false,
                    "messageGroup" => true,
                    _ => return Err(bad_attribute(name)),
                };
            }
            "FifoThroughputLimit" if value == "perQueue" => {}
            // Nothing is encrypted here, so `false` is the one true value.
            "SqsManagedSseEnabled" if !flag(name, value)? => {}
            "KmsMasterKeyId" if value.is_empty() => {}
            "FifoThroughputLimit"
            | "SqsManagedSseEnabled"
            | "KmsMasterKeyId"
            | "KmsDataKeyReusePeriodSeconds"
            | "RedriveAllowPolicy" => {
                return Err(AwsError::not_implemented("sqs", &format!("the queue attribute {name}={value}")));
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// The attributes as they are shown; those that are not set are left out.
    pub(super) fn shown(&self) -> BTreeMap<&'static str, String> {
        let mut shown = BTreeMap::from([
            ("DelaySeconds", self.delay_s.to_string()),
            ("MaximumMessageSize", self.maximum_bytes.to_string()),
            ("MessageRetentionPeriod", self.retention_s.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.wait_s.to_string()),
            ("VisibilityTimeout", self.visibility_s.to_string()),
            ("SqsManagedSseEnabled", "false".to_owned()),
        ]);
        shown.extend(self.policy.clone().map(|policy| ("Policy", policy)));
        shown.extend(self.redrive.clone().map(|redrive| ("RedrivePolicy", redrive.text)));
        if self.fifo {
            let scope = if self.deduplicate_by_group { "messageGroup" } else { "queue" };
            shown.extend([
                ("FifoQueue", "true".to_owned()),
                ("ContentBasedDeduplication", self.content_deduplication.to_string()),
                ("DeduplicationScope", scope.to_owned()),
                ("FifoThroughputLimit", "perQueue".to_owned()),
            ]);
        }
        shown
    }
}

pub(super) fn unknown(name: &str) -> AwsError {
    AwsError::client("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

fn bad_attribute(name: &str) -> AwsError {
    AwsError::client("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

fn number(name: &str, value: &str, range: RangeInclusive<i64>) -> Result<i64, AwsError> {
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| bad_attribute(name))
}

fn flag(name: &str, value: &str) -> Result<bool, AwsError> {
    value.to_ascii_lowercase().parse().map_err(|_| bad_attribute(name))
}

/// A JSON object, or none when the attribute is taken away by an empty text.
fn object(name: &str, value: &str) -> Result<Option<Value>, AwsError> {
    if value.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(value).ok().filter(Value::is_object).map(Some).ok_or_else(|| bad_attribute(name))
}

fn redrive(text: &str, policy: &Value) -> Result<Redrive, AwsError> {
    let bad = |reason: &str| bad_value(text, "RedrivePolicy", reason);
    let target_arn = policy["deadLetterTargetArn"]
        .as_str()
        .ok_or_else(|| bad("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
    if !target_arn.starts_with("arn:") {
        return Err(bad("Invalid value for deadLetterTargetArn."));
    }
    // Both `3` and `"3"` are in use.
    let max_receives = match &policy["maxReceiveCount"] {
        Value::Null => return Err(bad("Redrive policy does not contain mandatory attribute: maxReceiveCount.")),
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|count| u32::try_from(count).ok()),
    };
    let max_receives = max_receives
        .filter(|count| (1..=1000).contains(count))
        .ok_or_else(|| bad("Invalid value for maxReceiveCount. It must be between 1 and 1000."))?;
    Ok(Redrive { text: text.to_owned(), target_arn: target_arn.to_owned(), max_receives })
}

/// Letters, digits, hyphens and underscores, 1–80; FIFO queues end in `.fifo`.
pub(super) fn valid_name(name: &str, fifo: bool) -> Result<(), AwsError> {
    let stem = if fifo { name.strip_suffix(".fifo").unwrap_or("") } else { name };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if stem.is_empty() || name.len() > 80 || !stem.bytes().all(letters) {
        return Err(invalid(if fifo {
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo \
             suffix and be 1 to 80 in length."
        } else {
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_checked_before_they_act() {
        let mut settings = Settings::new(false);
        let code =
            |settings: &mut Settings, name: &str, value: &str| settings.set(name, value).map_err(|error| error.code);
        assert_eq!(code(&mut settings, "VisibilityTimeout", "43200"), Ok(()));
        assert_eq!(code(&mut settings, "VisibilityTimeout", "43201"), Err("InvalidAttributeValue".into()));
        assert_eq!(code(&mut settings, "MaximumMessageSize", "1023"), Err("InvalidAttributeValue".into()));
        assert_eq!(code(&mut settings, "FifoQueue", "true"), Err("InvalidAttributeName".into()));
        assert_eq!(code(&mut settings, "Colour", "red"), Err("InvalidAttributeName".into()));
        assert_eq!(code(&mut settings, "KmsMasterKeyId", "alias/aws/sqs"), Err("NotImplemented".into()));
        assert_eq!(code(&mut settings, "Policy", "not json"), Err("InvalidAttributeValue".into()));
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:x:1:dead","maxReceiveCount":"3"}"#;
        assert_eq!(code(&mut settings, "RedrivePolicy", policy), Ok(()));
        assert_eq!(settings.redrive.as_ref().map(|redrive| redrive.max_receives), Some(3));
        assert_eq!(settings.shown()["RedrivePolicy"], policy);
        assert_eq!(code(&mut settings, "RedrivePolicy", ""), Ok(()));
        assert_eq!(settings.redrive, None);
    }

    #[test]
    fn names_are_as_aws_has_them() {
        assert!(valid_name("a-b_C9", false).is_ok() && valid_name("a.fifo", true).is_ok());
        for (name, fifo) in [("a.fifo", false), ("a", true), (".fifo", true), ("", false), ("a b", false)] {
            assert!(valid_name(name, fifo).is_err(), "{name} {fifo}");
        }
        assert!(valid_name(&"a".repeat(81), false).is_err());
    }
}
