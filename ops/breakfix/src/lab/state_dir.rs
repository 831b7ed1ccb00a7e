//! The directory of a lab, and what its twin says of itself there.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use twin_platform::Identity;

/// The directory with everything a running lab leaves on disk.
#[derive(Clone, Debug)]
pub(crate) struct StateDir(PathBuf);

impl StateDir {
    /// The given directory, or `.lab` in the nearest ancestor of the working directory that has one or is the workspace.
    pub(crate) fn find(given: Option<&Path>) -> io::Result<Self> {
        let here = std::env::current_dir()?;
        let dir = match given {
            Some(dir) => here.join(dir),
            None => here
                .ancestors()
                .find(|dir| dir.join(".lab").is_dir() || dir.join("infra/contract.json").is_file())
                .unwrap_or(&here)
                .join(".lab"),
        };
        Ok(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Written by the twin when it is ready, removed when it ends.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.0.join("twin.json")
    }

    /// The twin's own log.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.0.join("twin.log")
    }

    /// The twin's record of its children by pid and start time.
    pub(crate) fn process_record(&self) -> PathBuf {
        self.0.join("processes.json")
    }

    /// Where programs that no package client manages are unpacked. As root the server runs as another user, who cannot reach
    /// a private home directory.
    pub(crate) fn tools(&self) -> PathBuf {
        if nix::unistd::geteuid().is_root() { "/var/lib/breakfix".into() } else { self.0.join("tools") }
    }

    /// Held while an `up` starts or attends a lab here.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.0.join("up.lock")
    }

    /// The ready file of the last twin, whether or not that twin still runs; `None` when there is none or it is not readable.
    pub(crate) fn last(&self) -> Option<Ready> {
        serde_json::from_slice(&std::fs::read(self.ready_file()).ok()?).ok()
    }

    /// The running lab.
    pub(crate) fn running(&self) -> Option<Ready> {
        self.last().filter(|ready| ready.identity.is_alive())
    }

    /// The lab that ended without tidying up: its ready file is there, its process is not.
    pub(crate) fn died(&self) -> Option<Ready> {
        self.last().filter(|ready| !ready.identity.is_alive())
    }
}

/// What the twin says of itself in its ready file.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ready {
    #[serde(flatten)]
    pub identity: Identity,
    pub endpoint: String,
    pub region: String,
    pub account_id: String,
    pub speed: f64,
    pub database: Database,
    #[serde(default)]
    pub started_at: String,
}

/// The database as the ready file has it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Database {
    pub host: String,
    pub port: u16,
    #[serde(default)]
    pub dbname: String,
    /// Holds the application's first credentials as a whole secret JSON; readable by the owner only.
    pub app_secret_file: PathBuf,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A ready file.
    pub(crate) fn ready(pid: u32, start_time: &str) -> String {
        format!(
            r#"{{"pid":{pid},"start_time":"{start_time}","endpoint":"http://127.0.0.1:4566","region":"us-east-1",
            "account_id":"123456789012","speed":10.0,"started_at":"2026-11-20T18:00:00Z",
            "database":{{"host":"127.0.0.1","port":5432,"dbname":"golden","master_username":"master",
            "app_username":"golden","app_secret_file":"/tmp/secret.json"}}}}"#
        )
    }

    #[test]
    fn a_lab_is_found_while_its_process_lives() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let state_dir = StateDir::find(Some(dir.path())).expect("a working directory");
        let own = Identity::own().expect("this process runs");
        assert!(state_dir.running().is_none() && state_dir.died().is_none(), "no file");
        std::fs::write(state_dir.ready_file(), ready(std::process::id(), &own.start_time)).expect("written");
        assert_eq!(state_dir.running().expect("this process runs").database.port, 5432);
        assert!(state_dir.died().is_none());
        std::fs::write(state_dir.ready_file(), ready(std::process::id(), "another process")).expect("written");
        assert!(state_dir.running().is_none() && state_dir.died().is_some(), "the pid is used again");
        std::fs::write(state_dir.ready_file(), "{\"pid\":").expect("written");
        assert!(state_dir.last().is_none(), "half a file is no lab");
    }
}
