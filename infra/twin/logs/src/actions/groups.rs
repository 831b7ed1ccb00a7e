//! Log groups and their retention.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use super::{
    Answer, answer, done,
    validate::{self, invalid},
};
use crate::{Logs, store::Group};

/// Page size of the describe actions (`DescribeLimit`).
pub(super) const DESCRIBE_LIMIT: usize = 50;

/// The retention periods AWS offers, in days (`PutRetentionPolicy`).
const RETENTION_DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    log_group_name: String,
    log_group_class: Option<String>,
    kms_key_id: Option<String>,
    #[serde(default)]
    deletion_protection_enabled: bool,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn create(logs: &Logs, input: Create, now_ms: i64) -> Answer {
    validate::group_name(&input.log_group_name)?;
    // Accepting these without acting on them would be a made-up success.
    if input.kms_key_id.is_some() {
        return Err(AwsError::not_implemented("logs", "CreateLogGroup with kmsKeyId"));
    }
    if input.deletion_protection_enabled {
        return Err(AwsError::not_implemented("logs", "CreateLogGroup with deletionProtectionEnabled"));
    }
    let class = input.log_group_class.unwrap_or_else(|| "STANDARD".into());
    if class != "STANDARD" && class != "INFREQUENT_ACCESS" && class != "DELIVERY" {
        return Err(invalid(format!("logGroupClass '{class}' is not STANDARD, INFREQUENT_ACCESS or DELIVERY")));
    }
    let mut store = logs.store();
    if store.groups.contains_key(&input.log_group_name) {
        return Err(AwsError::client("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let mut group = Group::new(input.log_group_name.clone(), class, now_ms, logs.capacity_bytes);
    group.tags = input.tags;
    store.groups.insert(input.log_group_name, group);
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    log_group_name: String,
}

pub(super) fn delete(logs: &Logs, input: Named) -> Answer {
    match logs.store().groups.remove(&input.log_group_name) {
        Some(_) => done(),
        None => Err(AwsError::client("ResourceNotFoundException", "The specified log group does not exist.")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    log_group_class: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    log_groups: Vec<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    log_group_name: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<i64>,
    metric_filter_count: usize,
    arn: String,
    stored_bytes: usize,
    log_group_class: String,
    log_group_arn: String,
}

pub(super) fn describe(logs: &Logs, input: Describe, now_ms: i64) -> Answer {
    let limit = validate::limit(input.limit, DESCRIBE_LIMIT)?;
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        let message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(invalid(message));
    }
    let mut store = logs.store();
    store.groups.values_mut().for_each(|group| group.expire(now_ms));
    let mut fitting = store.groups.values().filter(|group| {
        let name = group.name.as_str();
        input.next_token.as_deref().is_none_or(|last| name > last)
            && input.log_group_name_prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && input.log_group_name_pattern.as_deref().is_none_or(|part| name.contains(part))
            && input.log_group_class.as_deref().is_none_or(|class| group.class == class)
            && input
                .log_group_identifiers
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|identifier| validate::name_in(identifier) == name))
    });
    let log_groups: Vec<Description> = fitting
        .by_ref()
        .take(limit)
        .map(|group| {
            let arn = logs.account.arn("logs", &format!("log-group:{}", group.name));
            Description {
                log_group_name: group.name.clone(),
                creation_time: group.created_ms,
                retention_in_days: group.retention_days,
                metric_filter_count: group.filters.len(),
                arn: format!("{arn}:*"),
                stored_bytes: group.billed_bytes(),
                log_group_class: group.class.clone(),
                log_group_arn: arn,
            }
        })
        .collect();
    let more = fitting.next().is_some();
    let next_token = log_groups.last().filter(|_| more).map(|group| group.log_group_name.clone());
    answer(&Described { log_groups, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retention {
    log_group_name: String,
    retention_in_days: i64,
}

pub(super) fn put_retention(logs: &Logs, input: Retention, now_ms: i64) -> Answer {
    if !RETENTION_DAYS.contains(&input.retention_in_days) {
        let message = format!(
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy \
             enum value set: {RETENTION_DAYS:?}",
            input.retention_in_days
        );
        return Err(invalid(message));
    }
    let mut store = logs.store();
    let group = store.group(&input.log_group_name, now_ms)?;
    group.retention_days = Some(input.retention_in_days);
    group.expire(now_ms);
    done()
}

pub(super) fn delete_retention(logs: &Logs, input: Named, now_ms: i64) -> Answer {
    logs.store().group(&input.log_group_name, now_ms)?.retention_days = None;
    done()
}
