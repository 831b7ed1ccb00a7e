//! `PutMetricFilter`, `DescribeMetricFilters`, `DeleteMetricFilter`, `TestMetricFilter`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use super::{
    Answer, answer, done,
    groups::DESCRIBE_LIMIT,
    validate::{self, bad_token, invalid},
};
use crate::{
    Logs,
    metric_filter::{MetricFilter, Transformation},
    pattern::Pattern,
};

/// Most filters in a group, and most of them with regular expressions (`PutMetricFilter`).
const MAX_FILTERS: usize = 100;
const MAX_REGULAR: usize = 5;
/// Most lines in `TestMetricFilter`.
const MAX_LINES: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    metric_transformations: Vec<Transformation>,
    #[serde(default)]
    apply_on_transformed_logs: bool,
    field_selection_criteria: Option<String>,
    #[serde(default)]
    emit_system_field_dimensions: Vec<String>,
}

pub(super) fn put(logs: &Logs, input: Put, now_ms: i64) -> Answer {
    // Taking these without acting on them would be a made-up success.
    for (asked, parameter) in [
        (input.apply_on_transformed_logs, "applyOnTransformedLogs"),
        (input.field_selection_criteria.is_some_and(|criteria| !criteria.is_empty()), "fieldSelectionCriteria"),
        (!input.emit_system_field_dimensions.is_empty(), "emitSystemFieldDimensions"),
    ] {
        if asked {
            return Err(AwsError::not_implemented("logs", &format!("PutMetricFilter with {parameter}")));
        }
    }
    validate::filter_name(&input.filter_name)?;
    let Ok([transformation]) = <[Transformation; 1]>::try_from(input.metric_transformations) else {
        return Err(invalid("metricTransformations has exactly one member"));
    };
    let filter = MetricFilter::new(input.filter_pattern, transformation, now_ms).map_err(invalid)?;
    let mut store = logs.store();
    let group = store.group(&input.log_group_name, now_ms)?;
    if group.class != "STANDARD" {
        let message =
            format!("Metric filters are supported only for log groups in the Standard log class, not {}", group.class);
        return Err(AwsError::client("InvalidOperationException", message));
    }
    let others = || group.filters.iter().filter(|(name, _)| **name != input.filter_name).map(|(_, filter)| filter);
    let regular = others().filter(|other| other.pattern.is_regular()).count();
    if others().count() >= MAX_FILTERS || (filter.pattern.is_regular() && regular >= MAX_REGULAR) {
        return Err(AwsError::client("LimitExceededException", "Resource limit exceeded."));
    }
    group.filters.insert(input.filter_name, filter);
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delete {
    log_group_name: String,
    filter_name: String,
}

pub(super) fn delete(logs: &Logs, input: Delete, now_ms: i64) -> Answer {
    match logs.store().group(&input.log_group_name, now_ms)?.filters.remove(&input.filter_name) {
        Some(_) => done(),
        None => Err(AwsError::client("ResourceNotFoundException", "The specified metric filter does not exist.")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    log_group_name: Option<String>,
    filter_name_prefix: Option<String>,
    metric_name: Option<String>,
    metric_namespace: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    metric_filters: Vec<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    filter_name: String,
    filter_pattern: String,
    metric_transformations: [Transformation; 1],
    creation_time: i64,
    log_group_name: String,
    apply_on_transformed_logs: bool,
}

pub(super) fn describe(logs: &Logs, input: Describe, now_ms: i64) -> Answer {
    let limit = validate::limit(input.limit, DESCRIBE_LIMIT)?;
    if input.metric_name.is_some() != input.metric_namespace.is_some() {
        return Err(invalid("metricName and metricNamespace are given together or not at all"));
    }
    // Names hold no colon, so the last one parts group and filter.
    let after = input.next_token.as_deref().map(|token| token.rsplit_once(':').ok_or_else(bad_token)).transpose()?;
    let mut store = logs.store();
    if let Some(name) = &input.log_group_name {
        store.group(name, now_ms)?;
    }
    // The prefix counts only beside a group (`DescribeMetricFilters`).
    let prefix = input.filter_name_prefix.filter(|_| input.log_group_name.is_some());
    let mut fitting = store
        .groups
        .values()
        .filter(|group| input.log_group_name.as_ref().is_none_or(|name| group.name == *name))
        .flat_map(|group| group.filters.iter().map(move |(name, filter)| (group.name.as_str(), name.as_str(), filter)))
        .filter(|(group, name, _)| after.is_none_or(|after| (*group, *name) > after))
        .filter(|(_, name, _)| prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix)))
        .filter(|(_, _, filter)| {
            let transformation = &filter.transformation;
            input.metric_name.as_ref().is_none_or(|name| transformation.metric_name == *name)
                && input.metric_namespace.as_ref().is_none_or(|namespace| transformation.metric_namespace == *namespace)
        });
    let metric_filters: Vec<Description> = fitting
        .by_ref()
        .take(limit)
        .map(|(group, name, filter)| Description {
            filter_name: name.to_owned(),
            filter_pattern: filter.written.clone(),
            metric_transformations: [filter.transformation.clone()],
            creation_time: filter.created_ms,
            log_group_name: group.to_owned(),
            apply_on_transformed_logs: false,
        })
        .collect();
    let more = fitting.next().is_some();
    let last = metric_filters.last().filter(|_| more);
    let next_token = last.map(|filter| format!("{}:{}", filter.log_group_name, filter.filter_name));
    answer(&Described { metric_filters, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Test {
    filter_pattern: String,
    log_event_messages: Vec<String>,
}

#[derive(Serialize)]
struct Tested {
    matches: Vec<Match>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    /// Counted from 1.
    event_number: usize,
    event_message: String,
    extracted_values: BTreeMap<String, String>,
}

pub(super) fn test(input: Test) -> Answer {
    let pattern = Pattern::parse(&input.filter_pattern).map_err(|error| invalid(error.to_string()))?;
    let lines = input.log_event_messages;
    if !(1..=MAX_LINES).contains(&lines.len()) {
        return Err(invalid(format!("logEventMessages has {} members; 1 to {MAX_LINES} are allowed", lines.len())));
    }
    let matching = (1..).zip(lines).filter(|(_, line)| pattern.matches(line));
    let matches = matching
        .map(|(event_number, line)| Match {
            event_number,
            extracted_values: pattern.values(&line).into_iter().collect(),
            event_message: line,
        })
        .collect();
    answer(&Tested { matches })
}
