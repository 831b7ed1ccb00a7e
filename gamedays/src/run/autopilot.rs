//! Follows the scenario's runbook instead of people, by the same means as they: the inbox and the runbook's commands.

use runbooks::{Event as Step, Kind as Block, Outcome as Ended, Report, Runbook};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{Entry, Inbox, Kind, Lab, Order};

/// By this name it signs.
pub(super) const NAME: &str = "autopilot";

/// The task that follows a runbook.
pub(super) struct Autopilot(JoinHandle<Result<(), String>>);

impl Autopilot {
    /// Waits for the detection, then acknowledges, confirms, says what it is, mends and verifies.
    pub(super) fn start(
        lab: &Lab,
        runbook: Runbook,
        diagnosis: String,
        inbox: Inbox,
        mut detected: watch::Receiver<bool>,
        alarms_tell: bool,
        tell: mpsc::UnboundedSender<Entry>,
    ) -> Self {
        let shell = lab.shell([]);
        Self(tokio::spawn(async move {
            if alarms_tell && detected.wait_for(|detected| *detected).await.is_err() {
                return Ok(());
            }
            let say = |order| inbox.say(NAME, order).map_err(|error| format!("the inbox cannot be written: {error}"));
            if alarms_tell {
                say(Order::Ack)?;
            }
            let follow = async |block: Block| -> Result<(), String> {
                let report = runbooks::check(&runbook, &[block], &shell, |event| {
                    if let Step::Ended(step) = event {
                        let words = match step.outcome {
                            Ended::Passed => "passed",
                            Ended::Failed => "failed",
                            Ended::NotRun => "not run",
                        };
                        let entry = Entry::now(Kind::Runbook, format!("{block} {words}: {}", step.purpose));
                        let reason = step.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                        // Nobody listens when the run is over.
                        let _ = tell.send(entry.by(format!("{}{reason}", step.place)).spoiling());
                    }
                })
                .await;
                passed(&runbook, block, &report)
            };
            follow(Block::Confirm).await?;
            // Where no alarm tells of it, whoever looks and finds it is the first to know.
            if !alarms_tell {
                say(Order::Ack)?;
            }
            say(Order::Diagnose { text: diagnosis })?;
            follow(Block::Mitigate).await?;
            follow(Block::Verify).await?;
            follow(Block::Undo).await
        }))
    }

    /// What became of it; none while it goes on.
    pub(super) async fn ended(&mut self) -> Option<Result<(), String>> {
        if !self.0.is_finished() {
            return None;
        }
        Some((&mut self.0).await.unwrap_or_else(|error| Err(format!("the autopilot has died: {error}"))))
    }
}

impl Drop for Autopilot {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn passed(runbook: &Runbook, block: Block, report: &Report) -> Result<(), String> {
    match report.steps.iter().find(|step| step.outcome == Ended::Failed) {
        None => Ok(()),
        Some(step) => {
            let reason = step.reason.as_deref().unwrap_or("not as expected");
            Err(format!("runbook {}: {block} at {}: {reason}", runbook.id, step.place))
        }
    }
}
