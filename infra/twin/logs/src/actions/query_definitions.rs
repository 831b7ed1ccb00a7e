//! Saved queries: `PutQueryDefinition`, `DescribeQueryDefinitions`, `DeleteQueryDefinition`. A text is kept as it is; whether it
//! is a query shows when it is started, as in AWS.

use serde::{Deserialize, Serialize};
use serde_json::json;
use twin_platform::AwsError;

use super::{
    Answer, answer,
    queries::language,
    validate::{self, bad_token, invalid},
};
use crate::{Logs, insights};

/// Most saved queries ("CloudWatch Logs quotas").
const MAX_DEFINITIONS: usize = 1000;

/// A saved query.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    query_language: &'static str,
    query_definition_id: String,
    name: String,
    query_string: String,
    /// Milliseconds since the epoch.
    last_modified: i64,
    log_group_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    query_language: Option<String>,
    name: String,
    query_definition_id: Option<String>,
    #[serde(default)]
    log_group_names: Vec<String>,
    query_string: String,
    #[serde(default)]
    parameters: Vec<serde_json::Value>,
}

pub(super) fn put(logs: &Logs, input: Put, now_ms: i64) -> Answer {
    language("PutQueryDefinition", input.query_language.as_deref())?;
    if !input.parameters.is_empty() {
        return Err(AwsError::not_implemented("logs", "PutQueryDefinition with parameters"));
    }
    if !(1..=255).contains(&input.name.chars().count()) {
        return Err(invalid("name has 1 to 255 characters"));
    }
    if !(1..=insights::MAX_LENGTH).contains(&input.query_string.chars().count()) {
        return Err(invalid(format!("queryString has 1 to {} characters", insights::MAX_LENGTH)));
    }
    let id = input.query_definition_id.clone().unwrap_or_else(|| logs.new_id(now_ms));
    let mut definitions = logs.definitions();
    if input.query_definition_id.is_some() && !definitions.contains_key(&id) {
        return Err(AwsError::client("ResourceNotFoundException", "The specified query definition does not exist."));
    }
    if definitions.len() >= MAX_DEFINITIONS && !definitions.contains_key(&id) {
        return Err(AwsError::client(
            "LimitExceededException",
            format!("more than {MAX_DEFINITIONS} query definitions"),
        ));
    }
    let definition = Definition {
        query_language: "CWLI",
        query_definition_id: id.clone(),
        name: input.name,
        query_string: input.query_string,
        last_modified: now_ms,
        log_group_names: input.log_group_names,
    };
    definitions.insert(id.clone(), definition);
    answer(&json!({ "queryDefinitionId": id }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    query_definition_name_prefix: Option<String>,
    query_language: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn describe(logs: &Logs, input: Describe) -> Answer {
    let most = validate::limit(input.max_results, MAX_DEFINITIONS)?;
    let from: usize = input.next_token.as_deref().map_or(Ok(0), |token| token.parse().map_err(|_| bad_token()))?;
    let mut fitting: Vec<Definition> = logs
        .definitions()
        .values()
        .filter(|it| input.query_definition_name_prefix.as_deref().is_none_or(|prefix| it.name.starts_with(prefix)))
        .filter(|it| input.query_language.as_deref().is_none_or(|language| it.query_language == language))
        .cloned()
        .collect();
    fitting.sort_by(|left, right| left.name.cmp(&right.name));
    let mut output = json!({ "queryDefinitions": fitting.iter().skip(from).take(most).collect::<Vec<_>>() });
    if from.saturating_add(most) < fitting.len() {
        output["nextToken"] = (from + most).to_string().into();
    }
    answer(&output)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delete {
    query_definition_id: String,
}

pub(super) fn delete(logs: &Logs, input: Delete) -> Answer {
    match logs.definitions().remove(&input.query_definition_id) {
        Some(_) => answer(&json!({ "success": true })),
        None => Err(AwsError::client("ResourceNotFoundException", "The specified query definition does not exist.")),
    }
}
