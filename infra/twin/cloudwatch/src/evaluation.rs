//! The loops behind alarms: one evaluates, one runs actions, so that a slow subscriber delays no evaluation.

use std::{sync::Arc, time::Duration};

use crate::{CloudWatch, aside, now_ms};

/// Pause between two looks at which alarms are due: the shortest window is one second.
const TICK_MS: i64 = 500;

/// After a second is over, what was measured in it may still be on its way to the inbox.
const GRACE_MS: i64 = 100;

/// Longest time that one action may take. A subscriber that hangs must not keep the next one waiting for ever.
const ACTION_TIMEOUT: Duration = Duration::from_secs(10);

impl CloudWatch {
    /// Evaluates alarms and runs their actions until it is dropped. Without it alarms keep the state they have.
    pub async fn evaluate_forever(self: Arc<Self>) {
        let evaluate = async {
            loop {
                let now_ms = now_ms();
                aside(|| self.evaluate(now_ms - GRACE_MS));
                let pause_ms = TICK_MS - (now_ms - GRACE_MS).rem_euclid(TICK_MS);
                tokio::time::sleep(Duration::from_millis(u64::try_from(pause_ms).unwrap_or(0))).await;
            }
        };
        let act = async {
            loop {
                self.posted.notified().await;
                self.run_actions().await;
            }
        };
        tokio::join!(evaluate, act);
    }

    /// Evaluates the alarms that are due at `now_ms` (milliseconds since the epoch) by the windows that are over then.
    /// Returns how many metric alarms were looked at. Actions are queued, see [`CloudWatch::run_actions`].
    pub fn evaluate(&self, now_ms: i64) -> usize {
        // Keeps the inbox short even when no alarm is due.
        drop(self.store());
        let mut alarms = self.alarms();
        let looked = alarms.evaluate(|| self.store(), &self.account, self.speed, now_ms);
        if !alarms.outbox.is_empty() {
            self.posted.notify_one();
        }
        looked
    }

    /// Runs the queued actions in the order of the transitions and notes in the history how each went.
    pub async fn run_actions(&self) {
        loop {
            let next = self.alarms().outbox.pop_front();
            let Some(notice) = next else { return };
            let run = self.actions.run(&notice.action_arn, &notice.notification);
            let failure = match tokio::time::timeout(ACTION_TIMEOUT, run).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer within {} s", ACTION_TIMEOUT.as_secs())),
            };
            if let Some(failure) = &failure {
                tracing::warn!(alarm = notice.alarm, action = notice.action_arn, failure, "an alarm's action failed");
            }
            if !notice.repeated || failure.is_some() {
                self.alarms().history.action(&notice, failure.as_deref(), now_ms());
            }
        }
    }
}
