//! Queues and their attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use super::{Answer, answer, done, find};
use crate::sqs::{
    Queues, Sqs,
    error::{bad_value, missing, no_queue},
    queue::Queue,
    settings::{self, Settings},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Create {
    #[serde(default)]
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    // The one member that the API writes in lower case.
    #[serde(default, rename = "tags", alias = "Tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Url {
    pub(super) queue_url: String,
}

pub(super) fn create(sqs: &Sqs, input: Create, now_ms: i64) -> Answer {
    let name = input.queue_name;
    if name.is_empty() {
        return Err(missing("QueueName"));
    }
    let fifo = input.attributes.get("FifoQueue").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    settings::valid_name(&name, fifo)?;
    let mut queues = sqs.queues();
    if let Some(queue) = queues.get(&name) {
        // Asking for what is there is no error.
        for (attribute, value) in &input.attributes {
            let mut wanted = queue.settings.clone();
            wanted.set(attribute, value)?;
            if wanted != queue.settings {
                let message = format!(
                    "A queue already exists with the same name and a different value for attribute {attribute}"
                );
                return Err(AwsError::client("QueueNameExists", message));
            }
        }
    } else {
        let mut wanted = Settings::new(fifo);
        apply(&queues, &mut wanted, &input.attributes)?;
        super::tags::check(&input.tags)?;
        let mut queue = Queue::new(&name, sqs.account.arn("sqs", &name), wanted, now_ms);
        queue.tags = input.tags;
        queues.insert(name.clone(), queue);
    }
    answer(&Url { queue_url: sqs.url(&name) })
}

fn apply(queues: &Queues, settings: &mut Settings, attributes: &BTreeMap<String, String>) -> Result<(), AwsError> {
    for (attribute, value) in attributes {
        settings.set(attribute, value)?;
    }
    let text = attributes.get("RedrivePolicy").map_or("", String::as_str);
    if let Some(redrive) = settings.redrive.as_ref().filter(|_| !text.is_empty()) {
        let bad = |reason: &str| bad_value(text, "RedrivePolicy", reason);
        let target = queues.values().find(|queue| queue.arn == redrive.target_arn);
        let target = target.ok_or_else(|| bad("Dead letter target does not exist."))?;
        if target.settings.fifo != settings.fifo {
            return Err(bad("Dead-letter queue must be same type of queue as the source."));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Named {
    #[serde(default)]
    pub(super) queue_url: String,
}

pub(super) fn delete(sqs: &Sqs, input: Named) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    queue.changed.notify_waiters();
    let name = queue.name.clone();
    queues.remove(&name);
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetUrl {
    #[serde(default)]
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

pub(super) fn get_url(sqs: &Sqs, input: GetUrl) -> Answer {
    let ours = input.owner.is_none_or(|owner| owner == sqs.account.id);
    if !ours || !sqs.queues().contains_key(&input.queue_name) {
        return Err(no_queue());
    }
    answer(&Url { queue_url: sqs.url(&input.queue_name) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct List {
    queue_name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

pub(super) fn list(sqs: &Sqs, input: List) -> Answer {
    let prefix = input.queue_name_prefix.unwrap_or_default();
    let names = sqs.queues().keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
    let (urls, next) = page(sqs, names, input.next_token, input.max_results)?;
    let mut output = serde_json::Map::new();
    if !urls.is_empty() {
        output.insert("QueueUrls".into(), urls.into());
    }
    output.extend(next.map(|next| ("NextToken".into(), next.into())));
    answer(&output)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListSources {
    #[serde(default)]
    pub(super) queue_url: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

pub(super) fn list_sources(sqs: &Sqs, input: ListSources) -> Answer {
    let names = {
        let mut queues = sqs.queues();
        let arn = find(sqs, &mut queues, &input.queue_url)?.arn.clone();
        let feeds = |queue: &&Queue| queue.settings.redrive.as_ref().is_some_and(|redrive| redrive.target_arn == arn);
        queues.values().filter(feeds).map(|queue| queue.name.clone()).collect()
    };
    let (urls, next) = page(sqs, names, input.next_token, input.max_results)?;
    // In this one answer AWS writes the member in lower case.
    let mut output = serde_json::Map::from_iter([("queueUrls".into(), urls.into())]);
    output.extend(next.map(|next| ("NextToken".into(), next.into())));
    answer(&output)
}

/// The URLs after the name `token`, at most `size` (1–1000); without a size there is one page of 1000.
fn page(
    sqs: &Sqs,
    names: Vec<String>,
    token: Option<String>,
    size: Option<usize>,
) -> Result<(Vec<String>, Option<String>), AwsError> {
    if let Some(size) = size.filter(|size| !(1..=1000).contains(size)) {
        return Err(bad_value(size, "MaxResults", "MaxResults must be an integer between 1 and 1000."));
    }
    let rest = names.into_iter().skip_while(|name| token.as_ref().is_some_and(|token| name <= token));
    let mut names: Vec<String> = rest.take(size.unwrap_or(1000) + 1).collect();
    let more = names.len() > size.unwrap_or(1000);
    if more {
        names.pop();
    }
    let next = names.last().filter(|_| more && size.is_some()).cloned();
    Ok((names.iter().map(|name| sqs.url(name)).collect(), next))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetAttributes {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

pub(super) fn get_attributes(sqs: &Sqs, input: GetAttributes, now_ms: i64) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    queue.catch_up(now_ms);
    let [visible, in_flight, delayed] = queue.depths();
    let mut all = queue.settings.shown();
    all.extend([
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
        ("CreatedTimestamp", (queue.created_ms / 1000).to_string()),
        ("LastModifiedTimestamp", (queue.modified_ms / 1000).to_string()),
        ("QueueArn", queue.arn.clone()),
    ]);
    // Known, and shown only once they are set.
    const MAY_BE_UNSET: [&str; 9] = [
        "Policy",
        "RedrivePolicy",
        "RedriveAllowPolicy",
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "FifoQueue",
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "FifoThroughputLimit",
    ];
    let wanted = &input.attribute_names;
    let known = |name: &str| name == "All" || all.contains_key(name) || MAY_BE_UNSET.contains(&name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        return Err(settings::unknown(unknown));
    }
    all.retain(|name, _| wanted.iter().any(|wanted| wanted == "All" || wanted == name));
    let mut output = serde_json::Map::new();
    if !all.is_empty() {
        output.insert("Attributes".into(), serde_json::json!(all));
    }
    answer(&output)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetAttributes {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

pub(super) fn set_attributes(sqs: &Sqs, input: SetAttributes, now_ms: i64) -> Answer {
    let mut queues = sqs.queues();
    let mut wanted = find(sqs, &mut queues, &input.queue_url)?.settings.clone();
    // All of them or none.
    apply(&queues, &mut wanted, &input.attributes)?;
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    queue.settings = wanted;
    queue.modified_ms = now_ms;
    done()
}
