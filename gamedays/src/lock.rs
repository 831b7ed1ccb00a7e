//! One run at a time in a lab's state directory.

use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

const FILE: &str = "run.lock";
/// How often it is tried, and what is waited between.
const TRIES: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(40);

/// Held while a run goes on; the system frees it however the runner ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Another run goes on.
#[derive(Debug, thiserror::Error)]
pub enum Busy {
    /// This one.
    #[error("{} is going on", called(.run))]
    Run {
        /// Its id; empty while it looks at the lab before it begins.
        run: String,
    },
    /// The lock cannot be used.
    #[error("locking {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn called(run: &str) -> String {
    if run.is_empty() { "another game day".to_owned() } else { format!("the game day {run}") }
}

impl Lock {
    /// Takes the lock in the folder of all runs.
    ///
    /// # Errors
    /// [`Busy`] when another has it.
    pub fn take(folder: &Path) -> Result<Self, Busy> {
        let mut tries = 1;
        loop {
            match Self::take_once(folder) {
                // Who only asks has it for a moment as well.
                Err(Busy::Run { .. }) if tries < TRIES => std::thread::sleep(BETWEEN),
                other => return other,
            }
            tries += 1;
        }
    }

    fn take_once(folder: &Path) -> Result<Self, Busy> {
        let path = folder.join(FILE);
        let failed = |source| Busy::Io { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file =
            File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                // The name of the run before this one.
                file.set_len(0).map_err(failed)?;
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut run = String::new();
                file.read_to_string(&mut run).map_err(failed)?;
                Err(Busy::Run { run: run.trim().to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Says which run has it.
    pub(crate) fn name(&mut self, run: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all(run.as_bytes())?;
        self.file.flush()
    }
}

/// The folder of the run that goes on.
pub fn active(folder: &Path) -> Option<PathBuf> {
    match Lock::take_once(folder) {
        Err(Busy::Run { run }) if !run.is_empty() => Some(folder.join(run)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_of_the_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(active(folder.path()), None);
        let mut first = Lock::take(folder.path()).expect("free");
        first.name("20261121-secret-drift").expect("named");
        let error = Lock::take(folder.path()).expect_err("held").to_string();
        assert_eq!(error, "the game day 20261121-secret-drift is going on");
        assert_eq!(active(folder.path()), Some(folder.path().join("20261121-secret-drift")));
        drop(first);
        let next = Lock::take(folder.path()).expect("free again");
        assert_eq!(active(folder.path()), None, "not the run before");
        let error = Lock::take(folder.path()).expect_err("held").to_string();
        assert_eq!(error, "another game day is going on");
        drop(next);
    }
}
