//! Steady traffic through the balancer while a test looks at something else.

use std::time::Duration;

use load::{Profile, Stop, Summary, Target};
use tokio::runtime::Runtime;

/// Longer than any test; the test ends it.
const LONGEST: Duration = Duration::from_secs(300);

/// Open-loop traffic that runs until it is ended or dropped.
pub struct Traffic {
    runtime: Runtime,
    run: load::Run,
    stop: Stop,
}

impl Traffic {
    /// Starts `rate_per_s` requests a second, in turn to these paths.
    ///
    /// # Panics
    /// When the profile is not good.
    pub fn start(base_url: &str, rate_per_s: f64, paths: &[&str]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let profile = paths
            .iter()
            .fold(Profile::new(base_url, rate_per_s), |profile, path| profile.target(Target::get(*path)))
            .lasting(LONGEST);
        let run = runtime.block_on(async { load::start(profile) }).expect("a good profile");
        let stop = run.stopper();
        Self { runtime, run, stop }
    }

    /// Ends the traffic and tells what became of it.
    pub fn end(self) -> Summary {
        self.stop.stop();
        self.runtime.block_on(self.run.finish())
    }
}
