//! Logs Insights QL, as the CloudWatch Logs user guide has it in "CloudWatch Logs Insights language query syntax".
//!
//! Promises: reading a query never panics and never recurses deeper than thirty-two brackets; a refused query names the
//! characters that are wrong. A run holds one row of what it has not decided about yet, so that a query without `sort` or
//! `stats` needs memory for its results alone.
//! Refuses by name: `SOURCE`, `pattern`, `diff`, `anomaly`, `unmask`, `join`, `unnest` and what else is not in
//! [`grammar`]; SQL and PPL.
//!
//! Choices where the guide is silent: a missing field makes every comparison false, also `!=`, so that `not` (and `not like`,
//! `not in`) holds for it; JSON `null` is a missing field; `true` and `false` are 1 and 0; percentiles are nearest-rank;
//! groups come in the order their newest event has; `stats` over no event at all has no row.

mod aggregate;
mod cursor;
mod discover;
mod expression;
mod extract;
mod function;
mod grammar;
pub(crate) mod jobs;
mod period;
mod pipeline;
mod regular;
mod value;

use std::{collections::BTreeMap, sync::Arc};

use pipeline::{Pipeline, Plan};

pub(crate) use pipeline::{Interrupt, Statistics};

use crate::store::Event;

/// Longest query, in characters (`StartQuery` in the CloudWatch Logs API reference).
pub(crate) const MAX_LENGTH: usize = 10_000;
/// Rows of a result unless a query or its caller says otherwise, and the most that can be asked for (`StartQuery`).
pub(crate) const DEFAULT_LIMIT: usize = 10_000;
pub(crate) const MAX_LIMIT: usize = 100_000;

/// A query that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Query(Plan);

/// Why a query was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} and position {column}")]
pub(crate) struct QueryError {
    /// What is wrong, with the mend where there is one.
    pub(crate) message: String,
    /// First character that is wrong, counted from 0 in the whole text.
    pub(crate) start: usize,
    /// The character after the last that is wrong; more than `start` unless the text ended too early.
    pub(crate) end: usize,
    /// Line of `start`, counted from 1.
    pub(crate) line: usize,
    /// Character of `start` within its line, counted from 1.
    pub(crate) column: usize,
}

/// What one event is to a query.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) event: Arc<Event>,
    /// Index into [`Sources::groups`].
    pub(crate) group: usize,
}

/// Where records come from.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    /// Twelve digits.
    pub(crate) account: String,
    pub(crate) groups: Vec<String>,
}

impl Sources {
    fn group(&self, record: &Record) -> &str {
        self.groups.get(record.group).map_or("", String::as_str)
    }
}

/// One row of a result: names and values as AWS writes them; a missing value is left out.
pub(crate) type ResultRow = Vec<(Arc<str>, String)>;

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// [`QueryError`] when the text is no query, asks for what is not imitated, or is longer than [`MAX_LENGTH`].
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        grammar::parse(text).map(Self)
    }

    /// Runs over records in the order they are given, newest first by AWS's default. `limit` is the most rows to answer;
    /// without it the query's own counts, or else [`DEFAULT_LIMIT`].
    ///
    /// # Errors
    /// [`Interrupt`] when `interrupted` answered one; it is asked every few hundred records.
    pub(crate) fn run(
        &self,
        records: &[Record],
        sources: &Sources,
        now_ms: i64,
        limit: Option<usize>,
        interrupted: impl Fn() -> Option<Interrupt>,
    ) -> Result<(Vec<ResultRow>, Statistics), Interrupt> {
        Pipeline::new(&self.0, sources, now_ms, limit).run(records, interrupted)
    }
}

/// Every field of a JSON line by its flattened name, as `GetLogRecord` answers them.
pub(crate) fn flattened(line: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Some(start) = line.find('{')
        && let Some(Ok(document)) = serde_json::Deserializer::from_str(&line[start..]).into_iter().next()
    {
        flatten("", &document, &mut fields);
    }
    fields
}

fn flatten(path: &str, value: &serde_json::Value, fields: &mut BTreeMap<String, String>) {
    let below = |key: &str| match path {
        "" if key.starts_with('@') => format!("@{key}"),
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match value {
        serde_json::Value::Null => {}
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(key, value)| flatten(&below(key), value, fields));
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| flatten(&below(&index.to_string()), value, fields));
        }
        serde_json::Value::String(text) => drop(fields.insert(path.to_owned(), text.clone())),
        serde_json::Value::Bool(truth) => drop(fields.insert(path.to_owned(), u8::from(*truth).to_string())),
        serde_json::Value::Number(number) => drop(fields.insert(path.to_owned(), number.to_string())),
    }
}

#[cfg(test)]
mod tests;
