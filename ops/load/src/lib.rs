//! An open-loop load generator: requests leave at a constant rate whether or not the answers come.
//!
//! A closed loop waits for an answer before it asks again, so a service that freezes for a second is asked once in that
//! second and looks fine. Here arrival `i` is due at `t0 + i / rate` and its latency counts from that moment, so a freeze shows
//! in the tail as the people behind it would feel it.
//!
//! Promises: bounded in count or time, in the requests under way (`in_flight_max`; arrivals past it are *shed* and counted)
//! and in each request's patience (`timeout`). Reads no environment and prints nothing.
//!
//! Refuses: `https`. The lab's listeners are plain HTTP.
//!
//! ```no_run
//! # async fn example() -> Result<(), load::InvalidProfile> {
//! let profile = load::Profile::new("http://127.0.0.1:8000", 50.0)
//!     .target(load::Target::get("/"))
//!     .target(load::Target::get("/db").weight(2))
//!     .lasting(std::time::Duration::from_secs(30));
//! let summary = load::run(profile).await?;
//! assert!(summary.error_rate < 0.01);
//! # Ok(()) }
//! ```

mod client;
mod outcome;
mod pacer;
mod profile;
mod record;
mod run;
mod summary;

pub use outcome::{ErrorKind, Outcome, Sample};
pub use profile::{InvalidProfile, Profile, Target};
pub use run::{Run, Stop, run, start, start_observed};
pub use summary::{EndReason, Lag, Latency, Snapshot, Summary, TargetSummary};
