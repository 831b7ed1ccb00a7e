//! `memory_leak`: each request keeps some memory and touches every page of it. Where the platform holds a limit the task
//! ends in exit 137; where none is known the default cap is [`DEFAULT_CAP_MIB`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::identity::Identity;

/// Cap when neither the mode nor the platform names one: what the lab's own task definition gives a task.
const DEFAULT_CAP_MIB: u64 = 512;

const MIB: usize = 1 << 20;

/// Memory is taken from blocks of this size and touched bit by bit. glibc maps everything above 32 MiB by itself and unmaps
/// it when it is freed; smaller pieces stay with the allocator after the mode has ended, and the task's memory with them.
const BLOCK: usize = 64 * MIB;

/// The kept memory.
#[derive(Default)]
pub(crate) struct Kept {
    state: Arc<Mutex<State>>,
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
        if self.mib() >= cap_mib {
            return;
        }
        let state = Arc::clone(&self.state);
        let touch = move || (0..mib).all(|_| lock(&state).grow(cap_mib));
        if let Err(error) = tokio::task::spawn_blocking(touch).await {
            tracing::warn!(%error, "no more memory is kept");
        }
    }

    /// Says whether the mode is on; off frees everything.
    pub(super) fn set(&self, active: bool) {
        let mut state = lock(&self.state);
        state.active = active;
        if !active && state.mib > 0 {
            state.mib = 0;
            state.blocks = Vec::new();
        }
    }

    /// MiB kept now.
    pub(super) fn mib(&self) -> u64 {
        lock(&self.state).mib
    }
}

impl State {
    /// Touches one MiB more; false when the mode has ended or the cap is reached. Short, since others wait for the lock.
    fn grow(&mut self, cap_mib: u64) -> bool {
        if !self.active || self.mib >= cap_mib {
            return false;
        }
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.resize(block.len() + MIB, 0xA5);
            self.mib += 1;
        }
        true
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(kept.mib(), 7);
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
