//! What the batch actions share: the rules for the list of entries, and an answer with an error per entry.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use twin_platform::AwsError;

use super::{Answer, answer};
use crate::sqs::error::query_code;

/// The input of a batch action.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Batch<E> {
    #[serde(default)]
    pub(super) queue_url: String,
    #[serde(default = "Vec::new")]
    pub(super) entries: Vec<E>,
}

/// Most entries of a batch.
const MAX_ENTRIES: usize = 10;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<T> {
    successful: Vec<T>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    sender_fault: bool,
    code: String,
    message: String,
}

/// The answer of an entry that has none of its own.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Done {
    id: String,
}

/// Checks the ids, then runs each entry; one that fails does not hold up the others.
pub(super) fn run<E, T: Serialize>(
    entries: Vec<E>,
    id_of: impl Fn(&E) -> &str,
    mut each: impl FnMut(E) -> Result<T, AwsError>,
) -> Answer {
    check(&entries, &id_of)?;
    let mut output = Output { successful: Vec::new(), failed: Vec::new() };
    for entry in entries {
        let id = id_of(&entry).to_owned();
        match each(entry) {
            Ok(done) => output.successful.push(done),
            Err(error) => output.failed.push(Failed {
                id,
                sender_fault: error.status < 500,
                code: query_code(&error.code).to_owned(),
                message: error.message,
            }),
        }
    }
    answer(&output)
}

/// As [`run`], for entries whose success says nothing more.
pub(super) fn run_quiet<E>(
    entries: Vec<E>,
    id_of: impl Fn(&E) -> &str,
    mut each: impl FnMut(&E) -> Result<(), AwsError>,
) -> Answer {
    run(entries, &id_of, |entry| each(&entry).map(|()| Done { id: id_of(&entry).to_owned() }))
}

fn check<E>(entries: &[E], id_of: impl Fn(&E) -> &str) -> Result<(), AwsError> {
    if entries.is_empty() {
        return Err(AwsError::client("EmptyBatchRequest", "There should be at least one entry in the request."));
    }
    if entries.len() > MAX_ENTRIES {
        let message = format!("Maximum number of entries per request are 10. You have sent {}.", entries.len());
        return Err(AwsError::client("TooManyEntriesInBatchRequest", message));
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut seen = HashSet::new();
    for id in entries.iter().map(id_of) {
        if !(1..=80).contains(&id.len()) || !id.bytes().all(letters) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at \
                           most 80 letters long.";
            return Err(AwsError::client("InvalidBatchEntryId", message));
        }
        if !seen.insert(id) {
            return Err(AwsError::client("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    Ok(())
}
