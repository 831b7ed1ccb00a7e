//! Waiting, with an eye on what may end a deployment early.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    deployment::{Asked, Deployment},
    run::{End, Run},
};

/// Between two looks at the alarms and at what callers ask.
const LOOK: Duration = Duration::from_millis(250);

impl Run {
    pub(crate) fn edit<T>(&self, edit: impl FnOnce(&mut Deployment) -> T) -> Option<T> {
        self.core.edit(&self.id, edit)
    }

    /// Waits, or until `enough` is asked. Answers whether it was asked.
    pub(crate) async fn pause(&self, wait: Duration, enough: impl Fn(&Asked) -> bool) -> Result<bool, End> {
        let end = Instant::now() + wait;
        loop {
            let told = self.core.told.notified();
            self.check().await?;
            if self.edit(|it| enough(&it.asked)) == Some(true) {
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK)) => {}
                () = told => {}
            }
        }
    }

    /// Ends the deployment when it was asked to stop, or when an alarm says so.
    pub(crate) async fn check(&self) -> Result<(), End> {
        if let Some(stop) = self.edit(|it| it.asked.stop).flatten() {
            return Err(End::Asked(stop));
        }
        if self.plan.alarms.is_empty() {
            return Ok(());
        }
        match self.platform().alarms(&self.plan.alarms).await {
            Ok(active) if active.is_empty() => Ok(()),
            Ok(active) => Err(End::Alarm(format!(
                "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <{}>",
                active.join(", ")
            ))),
            Err(_) if self.plan.ignore_poll_failure => Ok(()),
            Err(error) => Err(End::Alarm(format!("The state of the alarms could not be read: {}", error.message))),
        }
    }
}
