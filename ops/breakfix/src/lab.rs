//! Where the lab is: the one place that decides which endpoint and credentials the commands use.
//!
//! This configures a client; it is no question to the service. `AWS_ENDPOINT_URL` set: ordinary AWS configuration. Else a
//! running lab in the state directory: its endpoint with dummy credentials. Else ordinary AWS configuration.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use aws_config::{Region, SdkConfig};
use aws_sdk_ssm::config::Credentials;
use serde::Deserialize;
use twin_platform::Identity;

use crate::problem::failure;

/// Access key and secret key for the laptop, where nobody checks them but every SDK insists on some.
pub(crate) const DUMMY_KEY: &str = "lab";

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

/// Whom the commands speak to.
#[derive(Clone, Debug)]
pub(crate) enum Lab {
    /// The lab on this laptop.
    Laptop(Box<Ready>),
    /// Whatever the ordinary AWS configuration names.
    Configured,
}

impl Lab {
    /// Decides by the rule at the top of this file.
    pub(crate) fn find(state_dir: &StateDir) -> Self {
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
        Self::decide(endpoint.as_deref(), state_dir.running())
    }

    fn decide(endpoint: Option<&str>, running: Option<Ready>) -> Self {
        match (endpoint, running) {
            (None | Some(""), Some(ready)) => Self::Laptop(Box::new(ready)),
            _ => Self::Configured,
        }
    }

    /// The SDK configuration for it.
    ///
    /// # Errors
    /// When no region is configured.
    pub(crate) async fn aws(&self) -> anyhow::Result<SdkConfig> {
        let mut loader = reset::aws::loader();
        if let Self::Laptop(ready) = self {
            loader = loader
                .endpoint_url(&ready.endpoint)
                .region(Region::new(ready.region.clone()))
                .credentials_provider(Credentials::new(DUMMY_KEY, DUMMY_KEY, None, None, "laptop"));
        }
        let config = loader.load().await;
        if config.region().is_none() {
            return Err(failure(
                "no lab is running here and no AWS region is configured",
                "start the lab with `breakfix up`; for a lab in AWS set AWS_PROFILE or AWS_REGION",
            ));
        }
        Ok(config)
    }
}

impl fmt::Display for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Laptop(ready) => write!(f, "the lab at {}", ready.endpoint),
            Self::Configured => match std::env::var("AWS_ENDPOINT_URL") {
                Ok(endpoint) if !endpoint.is_empty() => write!(f, "the endpoint {endpoint} (AWS_ENDPOINT_URL)"),
                _ => f.write_str("the AWS account of your configuration"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(pid: u32, start_time: &str) -> String {
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
        assert!(state_dir.running().is_none(), "no file");
        std::fs::write(state_dir.ready_file(), ready(std::process::id(), &own.start_time)).expect("written");
        assert_eq!(state_dir.running().expect("this process runs").database.port, 5432);
        std::fs::write(state_dir.ready_file(), ready(std::process::id(), "another process")).expect("written");
        assert!(state_dir.running().is_none(), "the pid is used again");
        assert!(state_dir.last().is_some());
        std::fs::write(state_dir.ready_file(), "{\"pid\":").expect("written");
        assert!(state_dir.last().is_none(), "half a file is no lab");
    }

    #[test]
    fn an_endpoint_in_the_environment_wins() {
        let running = || serde_json::from_str::<Ready>(&ready(1, "")).ok();
        assert!(matches!(Lab::decide(None, running()), Lab::Laptop(_)));
        assert!(matches!(Lab::decide(Some(""), running()), Lab::Laptop(_)));
        assert!(matches!(Lab::decide(Some("http://127.0.0.1:9"), running()), Lab::Configured));
        assert!(matches!(Lab::decide(None, None), Lab::Configured));
    }
}
