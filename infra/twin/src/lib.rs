//! The twin: AWS on a laptop, one process on loopback, for the clients that the lab's rooms and the people in it use.
//!
//! Promises: whatever answers here did what it says; nothing it starts outlives it; a second twin on the same state directory
//! is refused. Refuses: web pages (`Origin`), foreign host names, every address but loopback, and by name every action that is
//! not imitated.

mod access_logs;
mod alarm_actions;
mod call;
mod chunked;
mod config;
mod door;
mod endpoint;
mod error;
mod faults;
mod hangup;
mod metrics;
mod parameters;
mod permission;
mod ready_made;
mod refusal;
mod requests;
mod run;
mod s3;
mod secret_values;
mod services;
pub mod signals;
mod state_dir;
mod sts;
pub mod telemetry;

pub use config::Config;
pub use error::RunError;
pub use run::run;
pub use state_dir::{Ready, ReadyDatabase};
