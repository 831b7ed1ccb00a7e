//! Tags of log groups, by the ARN without `:*`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answer, answer, done, validate::name_in};
use crate::Logs;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tag {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

pub(super) fn tag(logs: &Logs, input: Tag, now_ms: i64) -> Answer {
    logs.store().group(name_in(&input.resource_arn), now_ms)?.tags.extend(input.tags);
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Untag {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag(logs: &Logs, input: Untag, now_ms: i64) -> Answer {
    let mut store = logs.store();
    let tags = &mut store.group(name_in(&input.resource_arn), now_ms)?.tags;
    tags.retain(|key, _| !input.tag_keys.contains(key));
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    resource_arn: String,
}

#[derive(Serialize)]
struct Listed<'a> {
    tags: &'a BTreeMap<String, String>,
}

pub(super) fn list(logs: &Logs, input: List, now_ms: i64) -> Answer {
    answer(&Listed { tags: &logs.store().group(name_in(&input.resource_arn), now_ms)?.tags })
}
