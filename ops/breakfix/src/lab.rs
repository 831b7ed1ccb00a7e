//! Where the lab is: the one place that decides which endpoint and credentials the commands use.
//!
//! This configures a client; it is no question to the service. The flag `--state-dir` means the lab in that directory and no
//! other. Without the flag: a lab runs in the state directory, and `AWS_ENDPOINT_URL` is unset or names it: that lab, with dummy
//! credentials. Else ordinary AWS configuration. An endpoint on loopback where nothing answers is a lab that has ended, and a
//! ready file without its process one that died; every command says so at once and looks for no other.
//!
//! A shell keeps its exports over `down` and `up`, and each `up` makes new identifiers. So names with a generated identifier
//! are taken from the environment only where no lab of ours is meant; flags always count.

mod state_dir;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_config::{Region, SdkConfig};
use aws_sdk_ssm::config::Credentials;
use contract::names::env;
use tokio::net::TcpStream;

pub(crate) use self::state_dir::{Ready, StateDir};
use crate::{commands::own_name, problem::failure};

/// Access key and secret key for the laptop, where nobody checks them but every SDK insists on some.
pub(crate) const DUMMY_KEY: &str = "lab";

/// Variables whose values hold an identifier that is new at each `up`, or an address that may be.
pub(crate) const GENERATED: [&str; 3] = [env::TARGET_GROUP_ARN, env::DB_SECRET_ARN, env::ALB_URL];

/// How long a listener on this machine may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);

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
    /// The lab of a state directory, which does not run.
    Absent {
        /// The directory.
        place: PathBuf,
        /// The pid of a twin that ended without tidying up.
        died: Option<u32>,
    },
}

impl Lab {
    /// Decides by the rule at the top of this file.
    pub(crate) async fn find(state_dir: &StateDir, by_flag: bool) -> Self {
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok().filter(|endpoint| !endpoint.is_empty());
        let endpoint = endpoint.filter(|_| !by_flag);
        match (Self::decide(endpoint.as_deref(), state_dir, by_flag), endpoint) {
            (Self::Configured { .. }, Some(endpoint)) if is_silent(&endpoint).await => match state_dir.died() {
                Some(ready) if plain(&ready.endpoint) == plain(&endpoint) => Self::absent(state_dir),
                _ => Self::Gone { endpoint },
            },
            (decided, _) => decided,
        }
    }

    fn decide(endpoint: Option<&str>, state_dir: &StateDir, by_flag: bool) -> Self {
        match (endpoint, state_dir.running()) {
            (None | Some(""), Some(ready)) => Self::Laptop(Box::new(ready)),
            (Some(endpoint), Some(ready)) if plain(endpoint) == plain(&ready.endpoint) => Self::Laptop(Box::new(ready)),
            // To fall back on an account in AWS would be a surprise for who had a lab a moment ago.
            (None | Some(""), None) if by_flag || state_dir.died().is_some() => Self::absent(state_dir),
            (_, running) => Self::Configured { passed_over: running.map(|ready| ready.endpoint) },
        }
    }

    fn absent(state_dir: &StateDir) -> Self {
        let died = state_dir.died().map(|ready| ready.identity.pid);
        Self::Absent { place: state_dir.path().to_owned(), died }
    }

    /// Whether names with generated identifiers in the environment may be those of an earlier lab.
    pub(crate) fn ignores_generated_names(&self) -> bool {
        !matches!(self, Self::Configured { .. })
    }

    /// The endpoint of the configuration, where that is on this machine.
    pub(crate) fn loopback_endpoint(&self) -> Option<String> {
        let endpoint = std::env::var("AWS_ENDPOINT_URL").ok()?;
        loopback(&endpoint).map(|_| endpoint)
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
        let own = own_name();
        match self {
            Self::Gone { endpoint } => {
                return Err(failure(
                    format!("no lab runs at {endpoint}, which AWS_ENDPOINT_URL names"),
                    format!("leave it with {}, or start a lab there with `{own} up`", leave()),
                ));
            }
            Self::Absent { place, died: Some(pid) } => {
                return Err(failure(
                    format!("the lab in {} has died: its twin (pid {pid}) ended without tidying up", place.display()),
                    format!("`{own} down` ends what it left; `{own} up` starts a new one"),
                ));
            }
            Self::Absent { place, died: None } => {
                return Err(failure(
                    format!("no lab is running in {}, which --state-dir names", place.display()),
                    format!("start it with `{own} up`, or leave the flag out"),
                ));
            }
            Self::Laptop(_) | Self::Configured { .. } => {}
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
                format!("start the lab with `{own} up`; for a lab in AWS set AWS_PROFILE or AWS_REGION"),
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
            Self::Absent { place, .. } => write!(f, "the lab in {}, which does not run", place.display()),
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

    /// A state directory with a lab that runs (this very process), that died, or that never was.
    fn place(started: Option<&str>) -> (tempfile::TempDir, StateDir) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let state_dir = StateDir::find(Some(folder.path())).expect("a working directory");
        if let Some(start_time) = started {
            let ready = state_dir::tests::ready(std::process::id(), start_time);
            std::fs::write(state_dir.ready_file(), ready).expect("written");
        }
        (folder, state_dir)
    }

    fn running() -> (tempfile::TempDir, StateDir) {
        place(Some(&twin_platform::Identity::own().expect("this process runs").start_time))
    }

    #[test]
    fn the_running_lab_is_meant_unless_another_endpoint_is_named() {
        let (_folder, state_dir) = running();
        for endpoint in [None, Some(""), Some("http://127.0.0.1:4566"), Some("http://localhost:4566/")] {
            let lab = Lab::decide(endpoint, &state_dir, false);
            assert!(matches!(lab, Lab::Laptop(_)) && lab.ignores_generated_names(), "{endpoint:?}");
        }
        let other = Lab::decide(Some("http://127.0.0.1:9"), &state_dir, false);
        assert!(matches!(other, Lab::Configured { .. }) && !other.ignores_generated_names());
        let warning = other.warning(Path::new("/lab")).expect("two labs are named");
        assert!(warning.contains("/lab is at http://127.0.0.1:4566, but "), "{warning}");
        let (_folder, empty) = place(None);
        assert_eq!(Lab::decide(Some("http://127.0.0.1:9"), &empty, false).warning(Path::new("/lab")), None);
        assert!(matches!(Lab::decide(None, &empty, false), Lab::Configured { passed_over: None }));
    }

    #[tokio::test]
    async fn the_flag_means_its_own_lab_or_none() {
        let (_folder, state_dir) = running();
        assert!(matches!(Lab::find(&state_dir, true).await, Lab::Laptop(_)));
        let (_folder, empty) = place(None);
        let lab = Lab::find(&empty, true).await;
        assert!(lab.ignores_generated_names(), "{lab}");
        let error = lab.aws().await.expect_err("no lab runs there").to_string();
        assert!(error.contains("which --state-dir names"), "{error}");
    }

    #[tokio::test]
    async fn a_lab_that_died_is_no_reason_to_look_in_aws() {
        let (_folder, state_dir) = place(Some("another process"));
        for by_flag in [false, true] {
            let error = Lab::decide(None, &state_dir, by_flag).aws().await.expect_err("it died").to_string();
            assert!(error.contains("has died") && error.contains(&std::process::id().to_string()), "{error}");
        }
        assert!(matches!(Lab::decide(Some("http://127.0.0.1:9"), &state_dir, false), Lab::Configured { .. }));
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
