//! Amazon SQS and Amazon SNS on a laptop: queues that keep their promises, and topics that really deliver.
//!
//! Promises: a message that was received is nobody else's until its visibility time-out is over; a long poll waits and is woken
//! by the message; dead letters move; a FIFO queue keeps the order of each group. What is published to a topic reaches its
//! confirmed subscribers, a slow or dead one holds up nobody, and memory is bounded ([`sqs::CAPACITY_BYTES`],
//! [`sns::BACKLOG_BYTES`]).
//!
//! Refuses, by name: everything that is not listed in `sqs/api.rs` and `sns/api.rs`. Policies are kept and shown, not evaluated.
//!
//! Time: what a caller asks for (visibility time-out, delay, wait time, retention) takes as long as it says, at any `--speed`.
//! Only the pause before a delivery is tried again is the platform's own waiting, and is divided.

mod attribute;
pub mod sns;
pub mod sqs;

pub use sns::Sns;
pub use sqs::Sqs;
use twin_platform::now_ms;
