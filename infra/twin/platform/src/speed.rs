//! The time factor: it divides the platform's waiting, never a request's time-out and never a timestamp.

use std::time::Duration;

/// How many times faster the platform waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(f64);

impl Speed {
    /// Smallest and largest factor. Above 100 a 30 s interval is below the time a busy laptop needs for one check.
    pub const RANGE: std::ops::RangeInclusive<f64> = 1.0..=100.0;

    /// A factor within [`Speed::RANGE`].
    pub fn new(factor: f64) -> Option<Self> {
        Self::RANGE.contains(&factor).then_some(Self(factor))
    }

    /// The factor.
    pub const fn factor(self) -> f64 {
        self.0
    }

    /// What a wait of `seconds` in AWS takes here.
    pub fn wait(self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds / self.0).max(0.0))
    }
}
