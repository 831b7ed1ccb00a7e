//! The lab that a game day is held in, as its clients know it.

use std::time::Duration;

use aws_sdk_cloudwatch::config::Region;
use reset::{Clients, Names};
use runbooks::{Output, Shell};
use serde::{Deserialize, Serialize};

/// How long one command of a scenario may take. The aws CLI itself needs a second on a busy machine.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// Everything that a run speaks with.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Clients of the AWS APIs.
    pub clients: Clients,
    /// CloudWatch: alarms and their history.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// CloudWatch Logs: the expected lines.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// The lab's names.
    pub names: Names,
    /// Base URL of the balancer.
    pub url: String,
    /// By how much the platform waits less than AWS does; 1 in AWS.
    pub speed: f64,
    /// What commands and runbooks are run with, PATH included.
    pub variables: Vec<(String, String)>,
    /// Which lab it is.
    pub place: Place,
}

/// Which lab a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The endpoint; none for AWS's own.
    pub endpoint: Option<String>,
    /// The account's region.
    pub region: String,
    /// When the lab was started, where it lives no longer than its start: then what it held ended with it.
    pub started_at: Option<String>,
}

impl Place {
    /// Whether the other lab is this one, started anew: nothing of it is left.
    pub fn has_replaced(&self, other: &Self) -> bool {
        other.started_at.is_some() && self.started_at != other.started_at
    }
}

impl Lab {
    /// Clients for a lab.
    pub fn new(
        clients: Clients,
        url: String,
        speed: f64,
        variables: Vec<(String, String)>,
        started_at: Option<String>,
    ) -> Self {
        let config = &clients.config;
        let place = Place {
            endpoint: config.endpoint_url().map(str::to_owned),
            region: config.region().map(Region::to_string).unwrap_or_default(),
            started_at,
        };
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            names: Names::of_the_contract(),
            clients,
            url,
            speed: speed.max(1.0),
            variables,
            place,
        }
    }

    /// A shell with the lab's variables and these.
    pub(crate) fn shell(&self, further: impl IntoIterator<Item = (String, String)>) -> Shell {
        Shell::new(self.variables.iter().cloned().chain(further)).time_factor(self.speed)
    }

    /// Runs a command and gives what it printed.
    pub(crate) async fn command(
        &self,
        text: &str,
        further: impl IntoIterator<Item = (String, String)>,
    ) -> Result<String, String> {
        let Output { stdout, stderr, exit } = self.shell(further).run(text, COMMAND_LIMIT).await?;
        match exit {
            Some(0) => Ok(stdout.trim().to_owned()),
            Some(127) => {
                Err(format!("{}; install the aws CLI (pipx install awscli, or `cargo xtask test`)", stderr.trim()))
            }
            _ => Err(format!("`{}`: {}", text.trim(), stderr.trim())),
        }
    }
}
