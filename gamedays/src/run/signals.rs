//! Looks for the signals that a scenario promises beside its alarms, until each was seen once.

use std::time::Duration;

use reset::AwsError;
use time::OffsetDateTime;
use tokio::{sync::mpsc, task::AbortHandle};

use crate::{
    Entry, Kind, Lab,
    scenario::{Scenario, Signals},
};

/// Between two looks: a look at traces starts a process.
const BETWEEN: Duration = Duration::from_secs(4);

/// A signal that was seen.
pub(super) struct Seen {
    pub(super) name: &'static str,
    pub(super) entry: Entry,
}

/// Looks until it is dropped or everything was seen.
pub(super) struct Search(AbortHandle);

impl Search {
    pub(super) fn start(
        lab: &Lab,
        scenario: &Scenario,
        since: OffsetDateTime,
        tell: mpsc::UnboundedSender<Seen>,
    ) -> Self {
        let (lab, signals) = (lab.clone(), scenario.expect.clone());
        let search = async move {
            let mut missing = promised(&signals);
            // Targets are looked at by the run itself.
            missing.retain(|name| *name != TARGETS);
            while !missing.is_empty() {
                tokio::time::sleep(BETWEEN).await;
                for name in missing.clone() {
                    let found = match name {
                        LOG => log(&lab, signals.log_filter.as_deref().unwrap_or_default(), since).await,
                        _ => traces(&lab, signals.trace_filter.as_deref().unwrap_or_default(), since).await,
                    };
                    if let Ok(Some(entry)) = found {
                        missing.retain(|other| *other != name);
                        if tell.send(Seen { name, entry }).is_err() {
                            return;
                        }
                    }
                }
            }
        };
        Self(tokio::spawn(search).abort_handle())
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) const LOG: &str = "log lines";
pub(super) const TRACES: &str = "traces";
pub(super) const TARGETS: &str = "target health";

/// The signals that a scenario promises, alarms apart.
pub(super) fn promised(signals: &Signals) -> Vec<&'static str> {
    let Signals { log_filter, trace_filter, targets, alarms: _ } = signals;
    [(LOG, log_filter.is_some()), (TRACES, trace_filter.is_some()), (TARGETS, targets.is_some())]
        .into_iter()
        .filter(|(_, promised)| *promised)
        .map(|(name, _)| name)
        .collect()
}

async fn log(lab: &Lab, pattern: &str, since: OffsetDateTime) -> Result<Option<Entry>, String> {
    let since_ms = i64::try_from(since.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let group = contract::names::resource::LOG_GROUP;
    let filter = lab.logs.filter_log_events().log_group_name(group).filter_pattern(pattern).start_time(since_ms);
    let found = filter
        .limit(1)
        .send()
        .await
        .map_err(AwsError::from_sdk("logs:FilterLogEvents"))
        .map_err(|error| error.to_string())?;
    Ok(found.events().first().map(|event| {
        let at =
            event.timestamp().and_then(|ms| OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok());
        let entry = Entry::at(at.unwrap_or_else(OffsetDateTime::now_utc), Kind::Signal, "the log shows it");
        entry.by(format!("{group}: {pattern} finds {}", brief(event.message().unwrap_or_default()))).spoiling()
    }))
}

async fn traces(lab: &Lab, filter: &str, since: OffsetDateTime) -> Result<Option<Entry>, String> {
    let command = "aws xray get-trace-summaries --start-time \"$FROM\" --end-time \"$TO\" --filter-expression \"$FILTER\" \
                   --query 'TraceSummaries[0].Id' --output text";
    let now = OffsetDateTime::now_utc();
    let variables = [
        ("FROM".to_owned(), since.unix_timestamp().to_string()),
        ("TO".to_owned(), (now.unix_timestamp() + 1).to_string()),
        ("FILTER".to_owned(), filter.to_owned()),
    ];
    let id = lab.command(command, variables).await?;
    let first = id.lines().next().unwrap_or_default();
    if first.is_empty() || first == "None" {
        return Ok(None);
    }
    Ok(Some(Entry::at(now, Kind::Signal, "traces show it").by(format!("X-Ray: {filter} finds {first}")).spoiling()))
}

/// A log line without what a report has no room for.
fn brief(text: &str) -> String {
    const MOST: usize = 240;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
