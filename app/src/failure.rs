//! What is broken on purpose, right now, in this task.
//!
//! [`FailureCache`] holds the parameter's last value; [`refresh::run`] keeps it fresh and applies what holds the whole
//! process; each request asks [`FailureCache::hits`]. Promises: asking takes no lock, a value applies whole or not at all,
//! and a value that is too old applies no longer.

mod cache;
mod parameter;
pub(crate) mod refresh;
mod report;
mod snapshot;

pub(crate) use cache::{CacheSettings, FailureCache};
pub(crate) use parameter::{ParameterStore, ParameterValue, ReadError, SsmParameter};
pub(crate) use report::report;
pub(crate) use snapshot::{Active, Snapshot};
