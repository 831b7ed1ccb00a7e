//! How many requests were allowed, blocked and counted since the last look.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::outcome::Kind;

/// Three counts.
#[derive(Debug, Default)]
pub(crate) struct Tally([AtomicU64; 3]);

impl Tally {
    pub(crate) fn add(&self, kind: Kind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Metric name and count of each that is not nothing; they begin anew.
    pub(crate) fn take(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [Kind::Allow, Kind::Block, Kind::Count].into_iter().filter_map(|kind| {
            let count = self.0[kind as usize].swap(0, Ordering::Relaxed);
            (count > 0).then_some((kind.metric(), count))
        })
    }
}

impl Kind {
    const fn metric(self) -> &'static str {
        match self {
            Self::Allow => "AllowedRequests",
            Self::Block => "BlockedRequests",
            Self::Count => "CountedRequests",
        }
    }
}
