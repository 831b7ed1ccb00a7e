//! Makes the changes of a scenario, each after its undo is on the disk, and takes them back.

mod aws;
mod deploy;
mod outage;
mod parameter;

use std::{collections::BTreeMap, io};

use time::OffsetDateTime;

use crate::{
    Lab,
    journal::{History, Journal, Record, Undo},
    scenario::{Action, Step},
};

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InjectError {
    /// The journal cannot be written, so nothing was changed.
    #[error("writing the journal before `{step}`; nothing was changed by it")]
    Journal {
        /// The step.
        step: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Reading the state before, or the change itself, failed.
    #[error("`{step}`: {reason}")]
    Step {
        /// The step.
        step: String,
        /// Why.
        reason: String,
    },
}

/// Makes one change; tells when the call was sent.
pub(crate) async fn apply(
    lab: &Lab,
    journal: &mut Journal,
    index: usize,
    step: &Step,
    blind: bool,
) -> Result<OffsetDateTime, InjectError> {
    let failed = |reason| InjectError::Step { step: step.name.clone(), reason };
    let unwritten = |source| InjectError::Journal { step: step.name.clone(), source };
    let prepared = match &step.action {
        Action::Parameter(value) => parameter::prepare(lab, value, blind).await,
        Action::Aws { run, previous, undo, harmless } => {
            aws::prepare(lab, run, previous, undo.as_deref(), harmless.as_deref()).await
        }
        Action::Deploy(revision) => deploy::prepare(lab, revision).await,
        Action::Outage(wanted) => outage::prepare(lab, wanted),
    };
    let Prepared { undo, change } = prepared.map_err(failed)?;
    journal.write(Record::Changing { step: index, name: step.name.clone(), undo }).map_err(unwritten)?;
    let sent = OffsetDateTime::now_utc();
    match change {
        Change::Parameter(value) => parameter::write(lab, &value).await,
        Change::Command { run, variables } => lab.command(&run, variables).await.map(drop),
        Change::Deploy(revision) => deploy::set(lab, &revision).await,
        Change::Outage { service, body } => outage::begin(lab, &service, &body).await,
    }
    .map_err(failed)?;
    journal.write(Record::Changed { step: index }).map_err(unwritten)?;
    if let Some(wait) = step.wait {
        tokio::time::sleep(wait.0).await;
    }
    Ok(sent)
}

/// A change with its undo, before it is made.
struct Prepared {
    undo: Undo,
    change: Change,
}

enum Change {
    Parameter(String),
    Command { run: String, variables: BTreeMap<String, String> },
    Deploy(String),
    Outage { service: String, body: String },
}

/// Takes back what the journal says was changed. One that fails does not keep the others from being tried.
pub(crate) async fn undo_all(lab: &Lab, journal: &mut Journal, history: &History) -> Vec<String> {
    let mut failures = Vec::new();
    for (step, name, undo) in history.to_undo() {
        let done = match &undo {
            Undo::Parameter { name, value } => parameter::restore(lab, name, value).await,
            Undo::Aws { run, variables } => lab.command(run, variables.clone()).await.map(drop),
            Undo::Deploy { previous, made } => deploy::restore(lab, previous, made).await,
            Undo::Outage { service } => outage::end(lab, service).await,
            Undo::Nothing { .. } => Ok(()),
        };
        let record = match done {
            Ok(()) => Record::Undone { step },
            Err(reason) => {
                failures.push(format!("`{name}` was not taken back: {reason}"));
                Record::UndoFailed { step, reason }
            }
        };
        if let Err(error) = journal.write(record) {
            failures.push(format!("the journal cannot be written: {error}"));
        }
    }
    failures
}
