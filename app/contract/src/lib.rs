//! Every name that crosses a room of the lab, and the grammar of the failure-mode parameter and of durations.
//!
//! Promises: importing this crate pulls in no room, opens no socket and reads no environment. A name used by two rooms
//! lives here; a name used by one stays home. [`document`] is the same list as data: `infra/contract.json` holds it for
//! readers that are not Rust, and a test keeps the two equal.

mod document;
pub mod duration;
mod error_type;
pub mod failure;
pub mod names;
pub mod roles;
mod secret;

pub use document::document;
pub use error_type::ErrorType;
pub use secret::{DatabaseSecret, InvalidSecret};
