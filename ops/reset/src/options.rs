//! What healthy means, and how long it may take.

use std::time::Duration;

use contract::names::resource;

/// How a reset goes about it.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// Tasks that the healthy service runs; too few cannot carry the load, too many do not fit the database's sessions
    #[arg(long, default_value_t = resource::DESIRED_COUNT, value_parser = clap::value_parser!(i32).range(1..=10))]
    pub desired_count: i32,
    /// Seconds of good traffic that prove the repair; shorter misses faults that come and go, longer costs only time
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub window_s: u64,
    /// Seconds from the start to the verdict; in AWS a new deployment alone takes minutes, so give 600 there
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout_s: u64,
    /// Print the plan and change nothing; exit 0 when the lab is healthy, 1 when there is something to do
    #[arg(long)]
    pub dry_run: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { desired_count: resource::DESIRED_COUNT, window_s: 3, timeout_s: 60, dry_run: false }
    }
}

impl Options {
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(self.window_s)
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}
