//! Publish, alone and in batches.

use std::collections::HashSet;

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::required;
use crate::{
    attribute::{Attribute, Attributes, Value},
    sns::{
        Sns,
        error::invalid,
        message::{MAX_BYTES, Publication},
    },
};

/// Most entries of a batch.
const MAX_ENTRIES: usize = 10;

/// Publishes one message.
pub(super) fn publish(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = call.get("TopicArn").or_else(|| call.get("TargetArn"));
    let arn = arn.ok_or_else(|| invalid("TopicArn or TargetArn Reason: no value for required parameter"))?;
    // A missing topic is said before a bad message.
    sns.state().topic(arn)?;
    let id = sns.publish(arn, &read(call)?)?;
    let mut xml = Xml::new();
    xml.text("MessageId", id);
    Ok(xml)
}

/// Publishes at most ten messages; one that is refused does not hold up the others.
pub(super) fn publish_batch(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = required(call, "TopicArn")?;
    sns.state().topic(arn)?;
    let entries = call.list("PublishBatchRequestEntries");
    check(&entries)?;
    let published = entries.iter().map(|entry| {
        let id = entry.get("Id").unwrap_or_default();
        (id, read(entry).and_then(|publication| sns.publish(arn, &publication)))
    });
    let (done, failed): (Vec<_>, Vec<_>) = published.partition(|(_, result)| result.is_ok());
    let mut xml = Xml::new();
    xml.list("Successful", done, |xml, (id, result)| {
        xml.text("Id", id).maybe("MessageId", result.ok());
    });
    xml.list("Failed", failed, |xml, (id, result)| {
        if let Err(error) = result {
            xml.text("Id", id).text("Code", error.code).text("Message", error.message);
            xml.text("SenderFault", error.status < 500);
        }
    });
    Ok(xml)
}

fn check(entries: &[Scope<'_>]) -> Result<(), AwsError> {
    if entries.is_empty() {
        return Err(AwsError::client("EmptyBatchRequest", "The batch request doesn't contain any entries."));
    }
    if entries.len() > MAX_ENTRIES {
        return Err(AwsError::client(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        ));
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut seen = HashSet::new();
    for entry in entries {
        let id = entry.get("Id").unwrap_or_default();
        if !(1..=80).contains(&id.len()) || !id.bytes().all(letters) {
            return Err(AwsError::client(
                "InvalidBatchEntryId",
                "The Id of a batch entry in a batch request doesn't abide by the specification.",
            ));
        }
        if !seen.insert(id) {
            return Err(AwsError::client(
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.",
            ));
        }
    }
    let bytes: usize = entries.iter().filter_map(|entry| entry.get("Message")).map(str::len).sum();
    if bytes > MAX_BYTES {
        return Err(AwsError::client(
            "BatchRequestTooLong",
            "The length of all the batch messages put together is more than the limit.",
        ));
    }
    Ok(())
}

/// The message of a call or of an entry.
fn read(call: &Scope<'_>) -> Result<Publication, AwsError> {
    if call.has("MessageGroupId") || call.has("MessageDeduplicationId") {
        return Err(super::refused("MessageGroupId and MessageDeduplicationId of a batch entry"));
    }
    let subject = call.get("Subject").map(str::to_owned);
    let message = call.get("Message").unwrap_or_default().to_owned();
    Publication::new(subject, message, call.get("MessageStructure"), attributes(call)?)
}

fn attributes(call: &Scope<'_>) -> Result<Attributes, AwsError> {
    let mut attributes = Attributes::new();
    for entry in call.entries("MessageAttributes") {
        let (name, value) = (entry.get("Name").unwrap_or_default(), entry.scope("Value"));
        let data_type = value.get("DataType").unwrap_or_default();
        let held = match (value.get("StringValue"), value.get("BinaryValue")) {
            (Some(text), None) => Some(Value::Text(text.to_owned())),
            (None, Some(bytes)) => Value::from_base64(bytes),
            _ => None,
        };
        let held = held.ok_or_else(|| {
            let message = format!(
                "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
                 '{data_type}'."
            );
            AwsError::client("ParameterValueInvalid", message)
        })?;
        attributes.insert(name.to_owned(), Attribute { data_type: data_type.to_owned(), value: held });
    }
    Ok(attributes)
}
