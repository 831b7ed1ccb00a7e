//! `disk_fill`: a file in the scratch folder grows, in bounded writes that reach the disk, on a thread of its own. A full
//! disk is the aim, not an error: the file then stays as it is until the mode ends.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use contract::failure::Mode;

use crate::state::App;

/// Bytes between two looks at the stop flag and two `fsync`s.
const CHUNK: usize = 1 << 20;

/// The growing file, if any.
#[derive(Default)]
pub(super) struct Fill {
    running: Mutex<Option<Running>>,
}

struct Running {
    mode: Mode,
    path: PathBuf,
    written_mib: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Fill {
    /// Fills as the mode says; `None` removes the file.
    pub(super) fn set(&self, mode: Option<&Mode>, app: &App) {
        let folder = app.config.scratch_dir.clone().unwrap_or_else(std::env::temp_dir);
        self.set_in(mode, &folder, &app.identity.task_id);
    }

    fn set_in(&self, mode: Option<&Mode>, folder: &Path, task_id: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().map(|running| &running.mode) == mode {
            return;
        }
        if let Some(old) = running.take() {
            old.stop.store(true, Ordering::Relaxed);
            remove(&old.path);
        }
        let Some(mode @ Mode::DiskFill { mib }) = mode else { return };
        // A name of its own for each run: the thread of the run before may still be writing its last chunk.
        let path = folder.join(format!("golden-scratch-{task_id}-{:08x}", fastrand::u32(..)));
        let (written_mib, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let writer = { (path.clone(), u64::from(*mib), Arc::clone(&written_mib), Arc::clone(&stop)) };
        let spawned = thread::Builder::new().name("scratch".into()).spawn(move || {
            let (path, mib, written_mib, stop) = writer;
            if let Err(error) = fill(&path, mib, &written_mib, &stop) {
                tracing::warn!(%error, kind = ?error.kind(), "the scratch file grows no further");
            }
            if stop.load(Ordering::Relaxed) {
                remove(&path);
            }
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "a thread could not be started");
        }
        *running = Some(Running { mode: mode.clone(), path, written_mib, stop });
    }

    /// MiB on disk now.
    pub(super) fn mib(&self) -> u64 {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map_or(0, |running| running.written_mib.load(Ordering::Relaxed))
    }
}

fn fill(path: &Path, mib: u64, written_mib: &AtomicU64, stop: &AtomicBool) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    let chunk = vec![0x5A_u8; CHUNK];
    while written_mib.load(Ordering::Relaxed) < mib && !stop.load(Ordering::Relaxed) {
        file.write_all(&chunk)?;
        file.sync_data()?;
        written_mib.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, "the scratch file cannot be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn the_file_grows_to_its_size_and_goes_with_the_mode() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fill = Fill::default();
        fill.set_in(Some(&Mode::DiskFill { mib: 3 }), folder.path(), "t");
        let started = Instant::now();
        while fill.mib() < 3 {
            assert!(started.elapsed() < Duration::from_secs(20), "only {} MiB were written", fill.mib());
            thread::yield_now();
        }
        let files = || std::fs::read_dir(folder.path()).expect("the folder is there").count();
        assert_eq!(files(), 1);
        fill.set_in(None, folder.path(), "t");
        while files() > 0 {
            assert!(started.elapsed() < Duration::from_secs(20), "the file was not removed");
            thread::yield_now();
        }
        assert_eq!(fill.mib(), 0);
    }
}
