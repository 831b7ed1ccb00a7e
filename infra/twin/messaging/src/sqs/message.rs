//! A message, and the rules that one must keep before it is taken.

use twin_platform::AwsError;

use super::{
    error::{bad_value, invalid, missing},
    settings::Settings,
};
use crate::attribute::{self, Attributes};

/// Longest delay, in seconds.
pub(super) const MAX_DELAY_S: i64 = 900;
/// "A message can have up to 10 attributes."
const MAX_ATTRIBUTES: usize = 10;
/// Longest group and deduplication id, in characters.
const MAX_ID: usize = 128;

/// A message on its way into a queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) body: String,
    pub(crate) attributes: Attributes,
    /// `AWSTraceHeader`, the one system attribute that a sender may set.
    pub(crate) trace_header: Option<String>,
    /// Seconds; none is the queue's own delay.
    pub(crate) delay_s: Option<i64>,
    pub(crate) group: Option<String>,
    pub(crate) deduplication: Option<String>,
}

/// A message in a queue.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) draft: Draft,
    pub(super) sender: String,
    pub(super) sent_ms: i64,
    /// When it came into this queue, which for a dead letter is later than `sent_ms`.
    pub(super) arrived_ms: i64,
    pub(super) first_received_ms: Option<i64>,
    pub(super) last_received_ms: i64,
    pub(super) received: u32,
    /// The queue that gave it up.
    pub(super) dead_letter_source: Option<String>,
    pub(super) place: Place,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To be had.
    Visible,
    /// Not yet to be had, until then.
    Delayed(i64),
    /// Somebody has it, until then.
    InFlight(i64),
}

impl Place {
    pub(super) fn until_ms(self) -> Option<i64> {
        match self {
            Self::Visible => None,
            Self::Delayed(until_ms) | Self::InFlight(until_ms) => Some(until_ms),
        }
    }
}

impl Message {
    /// Bytes of memory, near enough.
    pub(super) fn weight(&self) -> usize {
        self.draft.size() + 512
    }
}

impl Draft {
    /// Bytes that count against `MaximumMessageSize`.
    pub(super) fn size(&self) -> usize {
        self.body.len() + attribute::size(&self.attributes)
    }

    /// Checks a message against the rules of `SendMessage` and of its queue.
    pub(crate) fn validate(&self, settings: &Settings) -> Result<(), AwsError> {
        if self.body.is_empty() {
            return Err(missing("MessageBody"));
        }
        let allowed = |next: char| !matches!(next, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        if !self.body.chars().all(allowed) {
            let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | \
                           #xE000 to #xFFFD | #x10000 to #x10FFFF";
            return Err(AwsError::client("InvalidMessageContents", message));
        }
        if self.attributes.len() > MAX_ATTRIBUTES {
            return Err(invalid(format!(
                "Number of message attributes [{}] exceeds the allowed maximum [{MAX_ATTRIBUTES}].",
                self.attributes.len()
            )));
        }
        if let Some(complaint) = self.attributes.iter().find_map(|(name, attribute)| attribute.complaint(name)) {
            return Err(invalid(complaint));
        }
        if self.size() > settings.maximum_bytes {
            let reason = format!("Message must be shorter than {} bytes.", settings.maximum_bytes);
            return Err(invalid(format!("One or more parameters are invalid. Reason: {reason}")));
        }
        if let Some(delay_s) = self.delay_s.filter(|delay_s| !(0..=MAX_DELAY_S).contains(delay_s)) {
            return Err(bad_value(delay_s, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."));
        }
        for (id, name) in [(&self.group, "MessageGroupId"), (&self.deduplication, "MessageDeduplicationId")] {
            let allowed =
                |id: &String| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
            if let Some(id) = id.as_ref().filter(|id| !allowed(id)) {
                let reason =
                    format!("{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
                return Err(bad_value(id, name, &reason));
            }
        }
        self.fits_type(settings)
    }

    fn fits_type(&self, settings: &Settings) -> Result<(), AwsError> {
        let wrong = "The request include parameter that is not valid for this queue type.";
        match (settings.fifo, &self.deduplication, self.delay_s) {
            (false, Some(id), _) => Err(bad_value(id, "MessageDeduplicationId", wrong)),
            (true, _, Some(delay_s @ 1..)) => Err(bad_value(delay_s, "DelaySeconds", wrong)),
            (true, ..) if self.group.is_none() => Err(missing("MessageGroupId")),
            (true, None, _) if !settings.content_deduplication => Err(invalid(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            )),
            _ => Ok(()),
        }
    }
}
