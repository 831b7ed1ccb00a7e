//! Scaling activities: what was done or not done, and why, in AWS's words ("Scaling activities for Application Auto Scaling").

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::{
    decide::NotScaled,
    target::{DIMENSION, NAMESPACE, Place},
};

/// Activities that are kept. AWS keeps six weeks of them; these are some days of drills.
const MOST_KEPT: usize = 1000;

/// Newest first.
#[derive(Debug, Default)]
pub(crate) struct Activities(VecDeque<Activity>);

/// One activity.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) cause: String,
    pub(crate) started_ms: i64,
    pub(crate) ended_ms: Option<i64>,
    pub(crate) outcome: Outcome,
}

/// How it went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The desired count is set, and its tasks do not run yet.
    InProgress { desired: i64 },
    /// As many tasks run.
    Successful { desired: i64 },
    /// A later activity set another count, or somebody else did.
    Overridden { desired: i64 },
    /// ECS refused.
    Failed { desired: i64, why: String },
    /// Nothing was done.
    NotScaled(NotScaled),
}

/// `monitor alarm <name> in state ALARM triggered policy <name>`.
pub(crate) fn by_alarm(alarm: &str, state: &str, policy: &str) -> String {
    format!("monitor alarm {alarm} in state {state} triggered policy {policy}")
}

impl Activities {
    /// Keeps it, and returns its id.
    pub(crate) fn add(&mut self, place: &Place, cause: String, outcome: Outcome, now_ms: i64) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        let ended_ms = (!matches!(outcome, Outcome::InProgress { .. })).then_some(now_ms);
        self.0.push_front(Activity {
            id: id.clone(),
            place: place.clone(),
            cause,
            started_ms: now_ms,
            ended_ms,
            outcome,
        });
        self.0.truncate(MOST_KEPT);
        id
    }

    /// Notes that nothing was done, once for each run of the same reason: alarms ask again in every period.
    pub(crate) fn add_not_scaled(&mut self, place: &Place, cause: String, why: NotScaled, now_ms: i64) {
        let outcome = Outcome::NotScaled(why);
        let latest = self.of(place).find(|known| known.cause == cause || !known.is_not_scaled());
        if latest.is_none_or(|latest| latest.cause != cause || latest.outcome != outcome) {
            self.add(place, cause, outcome, now_ms);
        }
    }

    pub(crate) fn of<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Activity> {
        self.0.iter().filter(move |activity| activity.place == *place)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Activity> {
        self.0.iter()
    }

    /// The one that is not over, if any: a later one overrides an earlier.
    pub(crate) fn in_progress(&self, place: &Place) -> Option<&Activity> {
        self.0.iter().find(|it| it.place == *place && matches!(it.outcome, Outcome::InProgress { .. }))
    }

    /// Ends those of the target that are in progress.
    pub(crate) fn end(&mut self, place: &Place, now_ms: i64, outcome: impl Fn(i64) -> Outcome) {
        for activity in self.0.iter_mut().filter(|activity| activity.place == *place) {
            if let Outcome::InProgress { desired } = activity.outcome {
                activity.outcome = outcome(desired);
                activity.ended_ms = Some(now_ms);
            }
        }
    }

    /// The targets with one in progress.
    pub(crate) fn busy(&self) -> Vec<Place> {
        let busy = self.0.iter().filter(|activity| matches!(activity.outcome, Outcome::InProgress { .. }));
        busy.map(|activity| activity.place.clone()).collect()
    }
}

impl Activity {
    pub(crate) const fn is_not_scaled(&self) -> bool {
        matches!(self.outcome, Outcome::NotScaled(_))
    }

    /// As the API has it.
    pub(crate) fn wire(&self) -> Value {
        let (status, description, message) = match &self.outcome {
            Outcome::InProgress { desired } => (
                "InProgress",
                setting(*desired),
                Some(format!("{} Waiting for change to be fulfilled by ecs.", set(*desired))),
            ),
            Outcome::Successful { desired } => (
                "Successful",
                setting(*desired),
                Some(format!("{} Change successfully fulfilled by ecs.", set(*desired))),
            ),
            Outcome::Overridden { desired } => (
                "Overridden",
                setting(*desired),
                Some(format!("{} Change was overridden by another change.", set(*desired))),
            ),
            Outcome::Failed { desired, why } => {
                ("Failed", setting(*desired), Some(format!("Failed to set desired count to {desired}. Reason: {why}")))
            }
            Outcome::NotScaled(_) => ("Failed", "Attempting to scale due to alarm triggered".to_owned(), None),
        };
        let mut wire = json!({
            "ActivityId": self.id,
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self.place.to_string(),
            "ScalableDimension": DIMENSION,
            "Description": description,
            "Cause": self.cause,
            "StartTime": epoch_s(self.started_ms),
            "StatusCode": status,
        });
        if let Some(ended_ms) = self.ended_ms {
            wire["EndTime"] = epoch_s(ended_ms);
        }
        if let Some(message) = message {
            wire["StatusMessage"] = message.into();
        }
        if let Outcome::NotScaled(why) = &self.outcome {
            wire["NotScaledReasons"] = json!([why.wire()]);
        }
        wire
    }
}

fn setting(desired: i64) -> String {
    format!("Setting desired count to {desired}.")
}

fn set(desired: i64) -> String {
    format!("Successfully set desired count to {desired}.")
}

/// As the JSON protocol writes a timestamp.
#[allow(clippy::cast_precision_loss, reason = "milliseconds of this era have 41 bits")]
pub(crate) fn epoch_s(epoch_ms: i64) -> Value {
    json!(epoch_ms as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::parse("service/c/s").expect("a good id")
    }

    #[test]
    fn a_reason_that_lasts_is_told_once() {
        let mut activities = Activities::default();
        let full = |current| NotScaled::AlreadyAtMaxCapacity { maximum: current };
        for (cause, why) in [("a", full(4)), ("a", full(4)), ("b", full(4)), ("a", full(4)), ("a", full(5))] {
            activities.add_not_scaled(&place(), cause.into(), why, 1);
        }
        let told: Vec<_> = activities.all().map(|activity| activity.cause.as_str()).collect();
        assert_eq!(told, ["a", "b", "a"], "newest first");
        activities.add(&place(), "c".into(), Outcome::Successful { desired: 3 }, 2);
        activities.add_not_scaled(&place(), "a".into(), full(5), 3);
        assert_eq!(activities.all().count(), 5, "after something was done it is news again");
    }

    #[test]
    fn it_speaks_as_aws_does() {
        let mut activities = Activities::default();
        let cause = by_alarm("web-app-cpu-lt-25", "ALARM", "web-app-cpu-lt-25");
        activities.add(&place(), cause, Outcome::InProgress { desired: 1 }, 1_462_575_838_171);
        activities.end(&place(), 1_462_575_872_111, |desired| Outcome::Successful { desired });
        let wire = activities.all().next().expect("one").wire();
        assert_eq!(wire["Description"], "Setting desired count to 1.");
        assert_eq!(wire["Cause"], "monitor alarm web-app-cpu-lt-25 in state ALARM triggered policy web-app-cpu-lt-25");
        assert_eq!(wire["StatusMessage"], "Successfully set desired count to 1. Change successfully fulfilled by ecs.");
        assert_eq!(wire["EndTime"], 1_462_575_872.111);
    }
}
