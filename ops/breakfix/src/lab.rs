//! Where the lab is: the one place that decides which endpoint and credentials the commands use.
//!
//! This configures a client; it is no question to the service. A lab runs in the state directory, and `AWS_ENDPOINT_URL` is
//! unset or names it: that lab, with dummy credentials. Else ordinary AWS configuration. An endpoint on loopback where nothing
//! answers is a lab that has ended, and every command says so at once.
//!
//! A shell keeps its exports over `down` and `up`, and each `up` makes new identifiers. So names with a generated identifier
//! are taken from the environment only where no lab of ours is meant; flags always count.

use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_config::{Region, SdkConfig};
use aws_sdk_ssm::config::Credentials;
use contract::names::env;
use serde::Deserialize;
use tokio::net::TcpStream;
use twin_platform::Identity;

use crate::{commands::own_name, problem::failure};

/// Access key and secret key for the laptop, where nobody checks them but every SDK insists on some.
pub(crate) const DUMMY_KEY: &str = "lab";

/// Variables whose values hold an identifier that is new at each `up`, or an address that may be.
pub(crate) const GENERATED: [&str; 3] = [env::TARGET_GROUP_ARN, env::DB_SECRET_ARN, env::ALB_URL];

/// How long a listener on this machine may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

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
    Configured {
        /// The endpoint of a lab that runs in the state directory and is not the one that is meant.
        passed_over: Option<String>,
    },
    /// An endpoint on loopback where nothing answers.
    Gone {
        /// As `AWS_ENDPOINT_URL` has it.
        endpoint: String,
    },
}

impl Lab {
    /// Decides by the rule at the top of this file.
    pub(crate) async fn find(state_dir: &StateDir) -> Self {
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok().filter(|endpoint| !endpoint.is_empty());
        let decided = Self::decide(endpoint.as_deref(), state_dir.running());
        match (&decided, endpoint) {
            (Self::Configured { .. }, Some(endpoint)) if is_silent(&endpoint).await => Self::Gone { endpoint },
            _ => decided,
        }
    }

    fn decide(endpoint: Option<&str>, running: Option<Ready>) -> Self {
        match (endpoint, running) {
            (None | Some(""), Some(ready)) => Self::Laptop(Box::new(ready)),
            (Some(endpoint), Some(ready)) if plain(endpoint) == plain(&ready.endpoint) => Self::Laptop(Box::new(ready)),
            (_, running) => Self::Configured { passed_over: running.map(|ready| ready.endpoint) },
        }
    }

    /// Whether names with generated identifiers in the environment may be those of an earlier lab.
    pub(crate) fn ignores_generated_names(&self) -> bool {
        !matches!(self, Self::Configured { .. })
    }

    /// The line that says which of two labs is used, where the state directory was named and its lab is not the one.
    pub(crate) fn warning(&self, state_dir: &Path) -> Option<String> {
        let Self::Configured { passed_over: Some(running) } = self else { return None };
        Some(format!(
            "warning: the lab in {} is at {running}, but {self} is used; to leave that: {}",
            state_dir.display(),
            leave()
        ))
    }

    /// The SDK configuration for it.
    ///
    /// # Errors
    /// When no region is configured, or the lab that the environment names has ended.
    pub(crate) async fn aws(&self) -> anyhow::Result<SdkConfig> {
        if let Self::Gone { endpoint } = self {
            return Err(failure(
                format!("no lab runs at {endpoint}, which AWS_ENDPOINT_URL names"),
                format!("leave it with {}, or start a lab there with `{} up`", leave(), own_name()),
            ));
        }
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
            Self::Gone { endpoint } => write!(f, "the endpoint {endpoint}, where nothing answers"),
            Self::Configured { .. } => match std::env::var("AWS_ENDPOINT_URL") {
                Ok(endpoint) if !endpoint.is_empty() => write!(f, "the endpoint {endpoint} (AWS_ENDPOINT_URL)"),
                _ => f.write_str("the AWS account of your configuration"),
            },
        }
    }
}

/// What leaves a lab's exports behind.
fn leave() -> String {
    format!("`eval \"$({} env --unset)\"`", own_name())
}

/// An endpoint without the differences that make none.
fn plain(endpoint: &str) -> String {
    endpoint.trim_end_matches('/').replacen("://localhost", "://127.0.0.1", 1)
}

/// The address of an endpoint on loopback; `None` for every other.
fn loopback(endpoint: &str) -> Option<SocketAddr> {
    let plain = plain(endpoint);
    let authority = plain.strip_prefix("http://")?.split('/').next()?;
    authority.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

async fn is_silent(endpoint: &str) -> bool {
    let Some(address) = loopback(endpoint) else { return false };
    !matches!(tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await, Ok(Ok(_)))
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

    fn running() -> Option<Ready> {
        serde_json::from_str(&ready(1, "")).ok()
    }

    #[test]
    fn the_running_lab_is_meant_unless_another_endpoint_is_named() {
        for endpoint in [None, Some(""), Some("http://127.0.0.1:4566"), Some("http://localhost:4566/")] {
            let lab = Lab::decide(endpoint, running());
            assert!(matches!(lab, Lab::Laptop(_)) && lab.ignores_generated_names(), "{endpoint:?}");
        }
        let other = Lab::decide(Some("http://127.0.0.1:9"), running());
        assert!(matches!(other, Lab::Configured { .. }) && !other.ignores_generated_names());
        let warning = other.warning(Path::new("/lab")).expect("two labs are named");
        assert!(warning.contains("/lab is at http://127.0.0.1:4566, but "), "{warning}");
        let none = Lab::decide(Some("http://127.0.0.1:9"), None);
        assert_eq!(none.warning(Path::new("/lab")), None);
    }

    #[tokio::test]
    async fn a_lab_that_has_ended_is_told_from_one_that_runs() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        assert!(!is_silent(&endpoint).await);
        drop(listener);
        assert!(is_silent(&endpoint).await);
        assert!(!is_silent("https://ssm.us-west-2.amazonaws.com").await, "only loopback is asked");
        let error = Lab::Gone { endpoint: endpoint.clone() }.aws().await.expect_err("nothing answers");
        assert!(error.to_string().contains(&format!("no lab runs at {endpoint}")), "{error}");
    }
}
