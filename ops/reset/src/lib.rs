//! Looks at the lab and brings it back to health: observe → plan → apply → verify.
//!
//! Promises: it speaks the AWS APIs, HTTP to the balancer and the tasks, and SQL through the secret, and nothing else, so it
//! works wherever the lab runs; errors and observations never hold a secret. Refuses: to call a lab healthy that was not
//! seen serving good traffic for a sustained window.

pub mod aws;
mod names;
pub mod observe;
mod probe;

pub use aws::{AwsError, Clients};
pub use names::Names;
pub use observe::{Observation, ObserveError, observe};
