//! Activities are followed to their end: an activity is over when ECS runs the tasks that it set.

use std::{sync::Arc, time::Duration};

use twin_platform::now_ms;

use crate::{AutoScaling, activity::Outcome, counts, decide::Direction};

/// Pause between two looks at a service.
const LOOK: Duration = Duration::from_millis(500);

impl AutoScaling {
    /// Follows activities until it is dropped. Without it they stay `InProgress`.
    pub async fn follow_forever(self: Arc<Self>) {
        loop {
            self.begun.notified().await;
            while self.follow().await {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// One look at what is in progress; whether something still is.
    pub async fn follow(&self) -> bool {
        let busy = self.state.lock().await.activities.busy();
        for place in &busy {
            let service = match self.service(place).await {
                Ok(service) => service,
                Err(error) => {
                    tracing::debug!(%error, %place, "the service was not looked at");
                    continue;
                }
            };
            let mut state = self.state.lock().await;
            let Some(Outcome::InProgress { desired }) =
                state.activities.in_progress(place).map(|it| it.outcome.clone())
            else {
                continue;
            };
            let outcome: fn(i64) -> Outcome = match service.as_ref().map(counts) {
                Some((wanted, _)) if wanted != desired => |desired| Outcome::Overridden { desired },
                Some((_, running)) if running == desired => |desired| Outcome::Successful { desired },
                Some(_) => continue,
                None => |desired| Outcome::Failed { desired, why: "The service is not ACTIVE.".to_owned() },
            };
            let now_ms = now_ms();
            state.activities.end(place, now_ms, outcome);
            // The cooldown of a scale-in counts from its end ("ScaleInCooldown").
            if let Some(cooldown) = state.targets.get_mut(place).and_then(|target| target.cooldown.as_mut())
                && cooldown.direction == Direction::In
            {
                cooldown.until_ms = now_ms.saturating_add(cooldown.lasts_ms);
            }
        }
        !self.state.lock().await.activities.busy().is_empty()
    }
}
