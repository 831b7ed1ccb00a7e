//! The decision: pure, so that AWS's rules can be its tests.
//!
//! Sources: "Define cooldown periods" and "How target tracking scaling for Application Auto Scaling works" (Application Auto
//! Scaling User Guide), "Automatically scale your Amazon ECS service" (Amazon ECS Developer Guide: what becomes of a count
//! outside the bounds, and that a deployment turns scale-in off).

pub(crate) mod step;
#[cfg(test)]
mod tests;
pub(crate) mod tracking;

use serde_json::{Value, json};

/// More tasks or fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Out,
    In,
}

/// What a policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) direction: Direction,
    /// The capacity that it wants, whatever the bounds are.
    pub(crate) wanted: i64,
}

/// A cooldown that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cooldown {
    pub(crate) direction: Direction,
    /// The capacity before the activity that began it.
    pub(crate) before: i64,
    pub(crate) lasts_ms: i64,
    pub(crate) until_ms: i64,
}

/// What a decision depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// Tasks wanted now.
    pub(crate) capacity: i64,
    pub(crate) minimum: i64,
    pub(crate) maximum: i64,
    pub(crate) suspended_in: bool,
    pub(crate) suspended_out: bool,
    /// ECS has a deployment under way.
    pub(crate) deploying: bool,
    /// An earlier activity is not over.
    pub(crate) busy: bool,
    pub(crate) cooldown: Option<Cooldown>,
    pub(crate) now_ms: i64,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The desired count is set to this.
    Scale(i64),
    /// Nothing, for a reason that the API tells.
    NotScaled(NotScaled),
    /// Nothing, as is meant: suspended, or cooling down.
    Rest,
}

/// `NotScaledReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotScaled {
    AlreadyAtMaxCapacity {
        maximum: i64,
    },
    AlreadyAtMinCapacity {
        minimum: i64,
    },
    AlreadyAtDesiredCapacity {
        current: i64,
    },
    /// One task fewer would raise the alarm for scale-out.
    AutoScalingAnticipatedFlapping,
    /// A deployment is under way.
    TargetServicePutResourceAsUnscalable,
}

impl NotScaled {
    /// As the API has it.
    pub(crate) fn wire(self) -> Value {
        match self {
            Self::AlreadyAtMaxCapacity { maximum } => json!({ "Code": "AlreadyAtMaxCapacity", "MaxCapacity": maximum }),
            Self::AlreadyAtMinCapacity { minimum } => json!({ "Code": "AlreadyAtMinCapacity", "MinCapacity": minimum }),
            Self::AlreadyAtDesiredCapacity { current } => {
                json!({ "Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": current })
            }
            Self::AutoScalingAnticipatedFlapping => json!({ "Code": "AutoScalingAnticipatedFlapping" }),
            Self::TargetServicePutResourceAsUnscalable => json!({ "Code": "TargetServicePutResourceAsUnscalable" }),
        }
    }
}

impl Situation {
    /// The capacity that a scale-out counts from: during a cooldown what the last one has added is part of what the next one
    /// adds, so that only a larger one adds more.
    pub(crate) fn base(&self) -> i64 {
        match self.cooling() {
            Some(Cooldown { direction: Direction::Out, before, .. }) => before.min(self.capacity),
            _ => self.capacity,
        }
    }

    fn cooling(&self) -> Option<Cooldown> {
        self.cooldown.filter(|cooldown| self.now_ms < cooldown.until_ms)
    }

    /// What becomes of a proposal.
    pub(crate) fn decide(&self, proposal: Proposal) -> Decision {
        match proposal.direction {
            Direction::Out => self.scale_out(proposal.wanted),
            Direction::In => self.scale_in(proposal.wanted),
        }
    }

    fn scale_out(&self, wanted: i64) -> Decision {
        let bounded = wanted.clamp(self.minimum, self.maximum);
        if self.suspended_out {
            Decision::Rest
        } else if bounded > self.capacity {
            Decision::Scale(bounded)
        } else if self.capacity >= self.maximum {
            Decision::NotScaled(NotScaled::AlreadyAtMaxCapacity { maximum: self.maximum })
        } else if self.cooling().is_some() {
            Decision::Rest
        } else {
            Decision::NotScaled(NotScaled::AlreadyAtDesiredCapacity { current: self.capacity })
        }
    }

    fn scale_in(&self, wanted: i64) -> Decision {
        let bounded = wanted.clamp(self.minimum, self.maximum);
        if self.suspended_in {
            Decision::Rest
        } else if self.capacity <= self.minimum {
            Decision::NotScaled(NotScaled::AlreadyAtMinCapacity { minimum: self.minimum })
        } else if self.cooling().is_some() || self.busy {
            Decision::Rest
        } else if self.deploying {
            Decision::NotScaled(NotScaled::TargetServicePutResourceAsUnscalable)
        } else if bounded < self.capacity {
            Decision::Scale(bounded)
        } else {
            Decision::NotScaled(NotScaled::AutoScalingAnticipatedFlapping)
        }
    }
}
