//! Looks at the lab and brings it back to health: observe → plan → apply → verify.
//!
//! Promises: it speaks the AWS APIs, HTTP to the balancer and the tasks, and SQL through the secret, and nothing else, so it
//! works wherever the lab runs; errors and observations never hold a secret. Refuses: to call a lab healthy that was not
//! seen serving good traffic for a sustained window.

mod apply;
pub mod aws;
mod command;
pub mod firewall;
mod names;
pub mod observe;
mod options;
mod plan;
mod probe;
mod report;
mod run;
#[cfg(test)]
mod sample;
mod verify;
mod wording;

pub use aws::{AwsError, Clients};
pub use command::{Arguments, execute};
pub use names::Names;
pub use observe::{Observation, ObserveError, observe};
pub use options::Options;
pub use plan::{Action, Step, plan};
pub use report::{Event, Report, ReportedStep, ResetError, StepError, Verified};
pub use run::run;
