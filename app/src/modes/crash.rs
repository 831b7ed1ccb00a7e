//! `crash`: the process exits some seconds after the mode applies. No drain and no last spans, as in a crash; only the log
//! is flushed, since the line that tells why is what a drill looks for.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use contract::failure::Mode;
use tokio::task::JoinHandle;

use crate::telemetry::Log;

/// The burning fuse, if any.
#[derive(Default)]
pub(super) struct Fuse {
    lit: Mutex<Option<(Mode, JoinHandle<()>)>>,
}

impl Fuse {
    /// Lights the fuse once for a mode; `None` puts it out.
    pub(super) fn set(&self, mode: Option<&Mode>, is_blind: bool, log: &Log) {
        let mut lit = self.lit.lock().unwrap_or_else(PoisonError::into_inner);
        if lit.as_ref().map(|(mode, _)| mode) == mode {
            return;
        }
        if let Some((_, fuse)) = lit.take() {
            fuse.abort();
        }
        let Some(mode @ Mode::Crash { after_s, exit_code }) = mode else { return };
        let (after, code, log) = (Duration::from_secs(*after_s), i32::from(*exit_code), log.clone());
        let fuse = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            if is_blind {
                tracing::error!(errorType = "InternalError", exitCode = code, "fatal error");
            } else {
                tracing::error!(errorType = "InjectedFailure", exitCode = code, modes = "crash", "fatal error");
            }
            log.flush();
            std::process::exit(code);
        });
        *lit = Some((mode.clone(), fuse));
    }

    /// Whether an exit is pending.
    pub(super) fn is_lit(&self) -> bool {
        self.lit.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fuse_is_put_out_when_the_mode_ends() {
        let (fuse, log) = (Fuse::default(), Log::start(Box::new(std::io::sink()), "t"));
        fuse.set(Some(&Mode::Crash { after_s: 3600, exit_code: 1 }), false, &log);
        assert!(fuse.is_lit());
        fuse.set(None, false, &log);
        assert!(!fuse.is_lit());
    }
}
