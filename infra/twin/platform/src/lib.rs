//! What the twin's services share: the account they live in, the time factor, AWS-shaped errors, child processes that never
//! outlive the twin, what a process uses, the AWS query and JSON protocols, and the seams through which one service asks another.
//!
//! Refuses: behaviour of any single AWS service. That lives in the service's own crate.

pub mod account;
pub mod clock;
pub mod error;
pub mod identity;
pub mod json;
pub mod process;
pub mod query;
pub mod seam;
pub mod speed;
pub mod usage;
pub mod xml;

pub use account::Account;
pub use clock::now_ms;
pub use error::AwsError;
pub use identity::Identity;
pub use process::Spawner;
pub use speed::Speed;
pub use usage::Usage;
pub use winterbaume_core::{MockRequest as Request, MockResponse as Response, MockService as Service};
