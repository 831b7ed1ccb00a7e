//! ReceiveMessage, which may wait.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use twin_platform::AwsError;

use super::{
    Answer, answer,
    body::{self, Written},
    find,
};
use crate::{
    attribute::{self, Attribute},
    now_ms,
    sqs::{
        Sqs,
        error::bad_value,
        message::Message,
        queue::{MAX_VISIBILITY_S, Queue},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Receive {
    #[serde(default)]
    queue_url: String,
    /// The older name of `message_system_attribute_names`.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    receive_request_attempt_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Given>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    body_md5: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, Written>,
}

pub(super) async fn receive(sqs: &Sqs, input: Receive) -> Answer {
    if input.receive_request_attempt_id.is_some() {
        return Err(AwsError::not_implemented("sqs", "ReceiveMessage with ReceiveRequestAttemptId"));
    }
    let within = |value: Option<i64>, name, range: std::ops::RangeInclusive<i64>| match value {
        Some(value) if !range.contains(&value) => {
            let reason = format!("Must be between {} and {}, if provided.", range.start(), range.end());
            Err(bad_value(value, name, &reason))
        }
        value => Ok(value),
    };
    let max = within(input.max_number_of_messages, "MaxNumberOfMessages", 1..=10)?.unwrap_or(1);
    let max = usize::try_from(max).unwrap_or(1);
    let visibility_s = within(input.visibility_timeout, "VisibilityTimeout", 0..=MAX_VISIBILITY_S)?;
    let wait_s = within(input.wait_time_seconds, "WaitTimeSeconds", 0..=20)?;
    let wait_s = wait_s.unwrap_or(find(sqs, &mut sqs.queues(), &input.queue_url)?.settings.wait_s);
    let deadline = Instant::now() + Duration::from_secs(wait_s.unsigned_abs());
    loop {
        // Made before the look into the queue, so that what happens between the look and the wait wakes it too; anew each time,
        // because the queue may have been made anew.
        let changed = find(sqs, &mut sqs.queues(), &input.queue_url)?.changed.clone();
        let change = changed.notified();
        let last_look = Instant::now() >= deadline;
        let due = match look(sqs, &input, max, visibility_s, last_look)? {
            Look::Found(messages) => return answer(&Output { messages }),
            Look::Nothing(due_ms) => due_ms.map(|due_ms| {
                let wait_ms = u64::try_from(due_ms - now_ms() + 1).unwrap_or(0);
                Instant::now() + Duration::from_millis(wait_ms)
            }),
        };
        if last_look {
            return answer(&Output { messages: Vec::new() });
        }
        tokio::select! {
            () = change => {}
            () = sleep_until(due.map_or(deadline, |due| due.min(deadline))) => {}
        }
    }
}

enum Look {
    Found(Vec<Given>),
    /// Nothing yet; something hidden is due then, in milliseconds since the epoch.
    Nothing(Option<i64>),
}

fn look(sqs: &Sqs, input: &Receive, max: usize, visibility_s: Option<i64>, last: bool) -> Result<Look, AwsError> {
    let now_ms = now_ms();
    let mut queues = sqs.queues();
    let redrive = find(sqs, &mut queues, &input.queue_url)?.settings.redrive.clone();
    // Without its dead-letter queue (it was deleted) a queue gives nothing up.
    let redrive = redrive.filter(|redrive| queues.values().any(|queue| queue.arn == redrive.target_arn));
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    let visibility_ms = visibility_s.unwrap_or(queue.settings.visibility_s) * 1000;
    let received = queue.receive(max, visibility_ms, redrive.as_ref().map(|redrive| redrive.max_receives), now_ms)?;
    let given: Vec<Given> = received
        .numbers
        .iter()
        .filter_map(|number| queue.message(*number).map(|message| give(queue, *number, message, input)))
        .collect();
    if given.is_empty() && last {
        queue.counts.empty_receives += 1;
    }
    let (source_arn, due_ms) = (queue.arn.clone(), queue.next_due_ms());
    let target = redrive.and_then(|redrive| queues.values_mut().find(|queue| queue.arn == redrive.target_arn));
    if let Some(target) = target {
        received.dead.into_iter().for_each(|message| target.bury(message, &source_arn, now_ms));
    }
    Ok(if given.is_empty() { Look::Nothing(due_ms) } else { Look::Found(given) })
}

fn give(queue: &Queue, number: u64, message: &Message, input: &Receive) -> Given {
    let wanted = |name: &str| {
        input.message_attribute_names.iter().any(|filter| match filter.strip_suffix(".*") {
            _ if filter == "All" || filter == ".*" => true,
            Some(prefix) => name.starts_with(prefix),
            None => filter == name,
        })
    };
    let chosen: Vec<(&str, &Attribute)> = message
        .draft
        .attributes
        .iter()
        .map(|(name, attribute)| (name.as_str(), attribute))
        .filter(|(name, _)| wanted(name))
        .collect();
    Given {
        message_id: message.id.clone(),
        receipt_handle: queue.handle(number, message),
        body_md5: attribute::md5_of(&message.draft.body),
        body: message.draft.body.clone(),
        attributes: system_attributes(queue, number, message, input),
        attributes_md5: attribute::md5_of_attributes(chosen.iter().copied()),
        message_attributes: chosen
            .iter()
            .map(|(name, attribute)| ((*name).to_owned(), body::write(attribute)))
            .collect(),
    }
}

fn system_attributes(queue: &Queue, number: u64, message: &Message, input: &Receive) -> BTreeMap<&'static str, String> {
    let mut all = BTreeMap::from([
        ("SenderId", message.sender.clone()),
        ("SentTimestamp", message.sent_ms.to_string()),
        ("ApproximateReceiveCount", message.received.to_string()),
    ]);
    let first = message.first_received_ms.map(|first_ms| first_ms.to_string());
    all.extend(first.map(|first| ("ApproximateFirstReceiveTimestamp", first)));
    all.extend(message.draft.trace_header.clone().map(|header| ("AWSTraceHeader", header)));
    all.extend(message.dead_letter_source.clone().map(|source| ("DeadLetterQueueSourceArn", source)));
    all.extend(message.draft.group.clone().map(|group| ("MessageGroupId", group)));
    all.extend(message.draft.deduplication.clone().map(|id| ("MessageDeduplicationId", id)));
    all.extend(queue.sequence(number).map(|sequence| ("SequenceNumber", sequence)));
    let wanted = || input.attribute_names.iter().chain(&input.message_system_attribute_names);
    all.retain(|name, _| wanted().any(|wanted| wanted == "All" || wanted == name));
    all
}
