//! Tags of queues.

use std::collections::BTreeMap;

use serde::Deserialize;
use twin_platform::AwsError;

use super::{Answer, answer, done, find, queues::Named};
use crate::sqs::{Sqs, error::invalid};

/// Most tags of a queue.
const MAX_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    #[serde(default)]
    queue_url: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Untag {
    #[serde(default)]
    queue_url: String,
    #[serde(default)]
    tag_keys: Vec<String>,
}

/// Checks the tags of a queue.
pub(super) fn check(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!("Too many tags added for queue. Maximum allowed is {MAX_TAGS}.")));
    }
    let fits =
        |(key, value): (&String, &String)| (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
    if !tags.iter().all(fits) {
        return Err(invalid("A tag key has 1 to 128 characters, a tag value at most 256."));
    }
    Ok(())
}

pub(super) fn tag(sqs: &Sqs, input: Tag) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    let mut tags = queue.tags.clone();
    tags.extend(input.tags);
    check(&tags)?;
    queue.tags = tags;
    done()
}

pub(super) fn untag(sqs: &Sqs, input: Untag) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    queue.tags.retain(|key, _| !input.tag_keys.contains(key));
    done()
}

pub(super) fn list(sqs: &Sqs, input: Named) -> Answer {
    let mut queues = sqs.queues();
    let queue = find(sqs, &mut queues, &input.queue_url)?;
    answer(&serde_json::json!({ "Tags": queue.tags }))
}
