//! Log groups in memory, bounded: a group that outgrows its share drops its oldest events, as retention does.

mod event;
mod group;

use std::collections::BTreeMap;

pub(crate) use event::{Event, Key, OVERHEAD_BYTES};
pub(crate) use group::{Group, Order, Stream};
use twin_platform::AwsError;

/// Every log group of the account, by name.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) groups: BTreeMap<String, Group>,
}

impl Store {
    /// The group, without what its retention no longer keeps.
    pub(crate) fn group(&mut self, name: &str, now_ms: i64) -> Result<&mut Group, AwsError> {
        let group = self.groups.get_mut(name).ok_or_else(no_group)?;
        group.expire(now_ms);
        Ok(group)
    }
}

fn no_group() -> AwsError {
    AwsError::client("ResourceNotFoundException", "The specified log group does not exist.")
}

pub(crate) fn no_stream() -> AwsError {
    AwsError::client("ResourceNotFoundException", "The specified log stream does not exist.")
}
