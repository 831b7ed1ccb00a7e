//! The state directory: one twin at a time, and what the twin says of itself there.
//!
//! Files: `twin.lock` (held while a twin runs; holds its pid), `processes.json` (its children), `twin.json` (written when it is
//! ready, removed when it ends), `db-app-secret.json` (the application's first credentials, readable by the owner only),
//! `postgres.log`, `postgres/` and `tasks/`.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::RunError;

/// The state directory, held until dropped.
pub(crate) struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// `twin.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// The twin's process id.
    pub pid: u32,
    /// When that process started, as the operating system words it; pids are used again.
    pub start_time: String,
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
    /// The one region.
    pub region: String,
    /// The one account.
    pub account_id: String,
    /// The time factor.
    pub speed: f64,
    /// RFC 3339.
    pub started_at: String,
    /// Where the database is.
    pub database: ReadyDatabase,
}

/// The database in `twin.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadyDatabase {
    /// RDS identifier.
    pub identifier: String,
    /// Address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The application's database.
    pub dbname: String,
    /// The superuser.
    pub master_username: String,
    /// The application's role.
    pub app_username: String,
    /// File with the application's credentials as a whole secret, as JSON.
    pub app_secret_file: PathBuf,
}

impl StateDir {
    /// Makes the directory where it is missing and takes its lock.
    ///
    /// # Errors
    /// When it cannot be made or written, or another twin holds it.
    pub(crate) fn take(path: &Path) -> Result<Self, RunError> {
        let unusable = |source| RunError::StateDir { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unusable)?;
        let path = fs::canonicalize(path).map_err(unusable)?;
        let unusable = |source| RunError::StateDir { path: path.clone(), source };
        let name = path.join("twin.lock");
        let mut lock =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(name).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                lock.read_to_string(&mut pid).map_err(unusable)?;
                return Err(RunError::Taken { path, pid: pid.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        lock.set_len(0).and_then(|()| lock.rewind()).map_err(unusable)?;
        writeln!(lock, "{}", std::process::id()).map_err(unusable)?;
        let state_dir = Self { path, _lock: lock };
        // Left by a twin that was killed.
        state_dir.forget()?;
        Ok(state_dir)
    }

    /// Its absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The record of child processes.
    pub(crate) fn processes(&self) -> PathBuf {
        self.path.join("processes.json")
    }

    /// The file with the application's first credentials.
    pub(crate) fn app_secret_file(&self) -> PathBuf {
        self.path.join("db-app-secret.json")
    }

    /// Writes a file whole or not at all, readable by the owner only.
    ///
    /// # Errors
    /// When it cannot be written, e.g. on a full disk; then the old content stays.
    pub(crate) fn write(&self, file: &Path, content: &impl Serialize) -> Result<(), RunError> {
        let failed = |source| RunError::Io { operation: format!("writing {}", file.display()), source };
        let text = serde_json::to_vec_pretty(content).map_err(|error| failed(error.into()))?;
        let draft = file.with_extension("draft");
        let whole = || {
            let mut open = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&draft)?;
            open.set_permissions(fs::Permissions::from_mode(0o600))?;
            open.write_all(&text)?;
            open.sync_all()?;
            fs::rename(&draft, file)
        };
        whole().map_err(failed)
    }

    /// Says that the twin is ready.
    ///
    /// # Errors
    /// As [`StateDir::write`].
    pub(crate) fn announce(&self, ready: &Ready) -> Result<(), RunError> {
        self.write(&self.path.join("twin.json"), ready)
    }

    /// Takes back what [`StateDir::announce`] said, and the credentials.
    ///
    /// # Errors
    /// When a file is there and cannot be removed.
    pub(crate) fn forget(&self) -> Result<(), RunError> {
        for file in [self.path.join("twin.json"), self.app_secret_file()] {
            match fs::remove_file(&file) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(RunError::Io { operation: format!("removing {}", file.display()), source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_twin_is_refused_by_the_pid_of_the_first() {
        let folder = std::env::temp_dir().join(format!("twin-state-{}", std::process::id()));
        let first = StateDir::take(&folder).expect("nobody holds it");
        let Err(error) = StateDir::take(&folder) else { panic!("it is held") };
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        first.write(&first.app_secret_file(), &"secret").expect("writable");
        let mode = fs::metadata(first.app_secret_file()).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(first);
        let second = StateDir::take(&folder).expect("free again");
        assert!(!second.app_secret_file().exists(), "what a killed twin left is removed");
        fs::remove_dir_all(&folder).expect("ours");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let Err(error) = StateDir::take(Path::new("/proc/nowhere")) else { panic!("/proc takes no folders") };
        assert!(error.to_string().contains("/proc/nowhere"), "{error}");
    }
}
