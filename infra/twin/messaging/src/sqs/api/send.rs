//! SendMessage, alone and in batches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use super::{
    Answer, answer,
    batch::{self, Batch},
    body::{self, Written},
    find,
};
use crate::{
    attribute::{self, Attribute, Attributes},
    sqs::{Sqs, error::invalid, message::Draft, queue::Queue},
};

/// Largest batch, in bytes over all its messages.
const MAX_BATCH_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Send {
    #[serde(default)]
    queue_url: String,
    #[serde(flatten)]
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Entry {
    id: String,
    #[serde(flatten)]
    message: Message,
}

/// What a message is made of, sent alone or in a batch. The two around it refuse any other member.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Written>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Written>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    body_md5: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    system_md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

pub(super) fn send(sqs: &Sqs, input: Send, now_ms: i64) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    answer(&put(queue, None, input.message, &sqs.account.id, now_ms)?)
}

pub(super) fn send_batch(sqs: &Sqs, input: Batch<Entry>, now_ms: i64) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    let bytes: usize = input.entries.iter().map(|entry| entry.message.message_body.len()).sum();
    if bytes > MAX_BATCH_BYTES {
        let message =
            format!("Batch requests cannot be longer than {MAX_BATCH_BYTES} bytes. You have sent {bytes} bytes.");
        return Err(AwsError::client("BatchRequestTooLong", message));
    }
    let put = |entry: Entry| put(queue, Some(entry.id), entry.message, &sqs.account.id, now_ms);
    batch::run(input.entries, |entry| &entry.id, put)
}

fn put(queue: &mut Queue, id: Option<String>, message: Message, sender: &str, now_ms: i64) -> Result<Sent, AwsError> {
    let attributes = body::read(message.message_attributes)?;
    let system = body::read(message.message_system_attributes)?;
    let draft = Draft {
        body: message.message_body,
        trace_header: trace_header(&system)?,
        delay_s: message.delay_seconds,
        group: message.message_group_id,
        deduplication: message.message_deduplication_id,
        attributes,
    };
    draft.validate(&queue.settings)?;
    let attributes_md5 = attribute::md5_of_attributes(named(&draft.attributes));
    let sent = queue.send(draft, sender, now_ms)?;
    Ok(Sent {
        id,
        message_id: sent.id,
        body_md5: sent.body_md5,
        attributes_md5,
        system_md5: attribute::md5_of_attributes(named(&system)),
        sequence_number: sent.sequence,
    })
}

fn named(attributes: &Attributes) -> impl Iterator<Item = (&str, &Attribute)> {
    attributes.iter().map(|(name, attribute)| (name.as_str(), attribute))
}

/// The one system attribute that a sender may set is `AWSTraceHeader`, a text.
fn trace_header(system: &Attributes) -> Result<Option<String>, AwsError> {
    if let Some(other) = system.keys().find(|name| *name != "AWSTraceHeader") {
        return Err(invalid(format!("Message system attribute name '{other}' is invalid.")));
    }
    match system.get("AWSTraceHeader") {
        None => Ok(None),
        Some(header) if header.data_type == "String" => Ok(Some(header.value.written())),
        Some(_) => Err(invalid("The message system attribute 'AWSTraceHeader' must be of type 'String'.")),
    }
}
