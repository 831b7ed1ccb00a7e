//! How a container ended, in a container runtime's numbers.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// 128 and the signal's number when a signal ended it, as container runtimes count.
    pub(crate) code: i32,
    pub(crate) out_of_memory: bool,
}

impl Exit {
    pub(crate) fn of(status: io::Result<ExitStatus>) -> Self {
        let code = match status {
            Ok(status) => status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255),
            // Waiting fails only when the child was taken from us; what it ended with is then not known.
            Err(_) => 255,
        };
        Self { code, out_of_memory: false }
    }

    /// The container's `reason`. The kernel may have killed only a helper process; then the container goes on, or ends otherwise.
    pub(crate) fn reason(&self) -> Option<String> {
        (self.out_of_memory && self.code == 137)
            .then(|| "OutOfMemoryError: Container killed due to memory usage".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_counted_from_128() {
        assert_eq!(Exit::of(Ok(ExitStatus::from_raw(9))).code, 137);
        assert_eq!(Exit::of(Ok(ExitStatus::from_raw(3 << 8))).code, 3);
    }

    #[test]
    fn only_a_kill_for_memory_is_called_so() {
        assert_eq!(Exit { code: 137, out_of_memory: false }.reason(), None);
        assert_eq!(Exit { code: 0, out_of_memory: true }.reason(), None);
        assert!(Exit { code: 137, out_of_memory: true }.reason().is_some_and(|it| it.starts_with("OutOfMemoryError")));
    }
}
