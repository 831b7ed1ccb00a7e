//! `memory_leak`: each request keeps some memory and touches every page of it. Where the platform holds a limit the task
//! ends in exit 137; where none is known the default cap is [`DEFAULT_CAP_MIB`].

use std::sync::{Mutex, PoisonError};

use crate::identity::Identity;

/// Cap when neither the mode nor the platform names one: what the lab's own task definition gives a task.
const DEFAULT_CAP_MIB: u64 = 512;

/// The kept memory.
#[derive(Default)]
pub(crate) struct Kept {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    active: bool,
    mib: u64,
    blocks: Vec<Vec<u8>>,
}

/// The most that is kept: the mode's own cap, else the task's limit.
pub(super) fn cap(cap_mib: Option<u32>, identity: &Identity) -> u64 {
    cap_mib.map(u64::from).or(identity.memory_limit_mib).unwrap_or(DEFAULT_CAP_MIB)
}

impl Kept {
    /// Keeps some more, as far as the cap allows. The pages are touched on a blocking thread.
    pub(super) async fn keep(&self, mib: u32, cap_mib: u64) {
        if self.mib() + u64::from(mib) > cap_mib {
            return;
        }
        let Ok(block) = tokio::task::spawn_blocking(move || vec![0xA5_u8; (mib as usize) << 20]).await else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.active && state.mib + u64::from(mib) <= cap_mib {
            state.mib += u64::from(mib);
            state.blocks.push(block);
        }
    }

    /// Says whether the mode is on; off frees everything.
    pub(super) fn set(&self, active: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.active = active;
        if !active && state.mib > 0 {
            state.mib = 0;
            state.blocks = Vec::new();
        }
    }

    /// MiB kept now.
    pub(super) fn mib(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).mib
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_is_kept_up_to_the_cap_and_freed_after() {
        let kept = Kept::default();
        kept.set(true);
        for _ in 0..5 {
            kept.keep(2, 7).await;
        }
        assert_eq!(kept.mib(), 6);
        kept.set(false);
        assert_eq!(kept.mib(), 0);
        kept.keep(2, 7).await;
        assert_eq!(kept.mib(), 0, "a request that was under way when the mode ended keeps nothing");
    }

    #[test]
    fn the_cap_falls_back_to_the_task_and_then_to_the_default() {
        let mut identity = Identity::local(None);
        assert_eq!(cap(None, &identity), DEFAULT_CAP_MIB);
        identity.memory_limit_mib = Some(1024);
        assert_eq!((cap(None, &identity), cap(Some(9), &identity)), (1024, 9));
    }
}
