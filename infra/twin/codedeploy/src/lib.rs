//! AWS CodeDeploy for Amazon ECS: applications, deployment groups, and blue/green deployments that really happen.
//!
//! Works as AWS's does, as a client of its neighbours: task sets are made and deleted through the ECS API, listeners shifted
//! through Elastic Load Balancing, alarms read from CloudWatch. Promises: a deployment that cannot start changes nothing; one that
//! fails, is stopped, or sees an alarm rolls back as its group says, with a deployment of its own by `codeDeployRollback`; at most
//! one deployment is under way in a group. The time factor divides what CodeDeploy waits (shifts, ready wait, termination wait,
//! the hour for the replacement task set), never a timestamp.
//!
//! Refuses by name: the compute platforms Server and Lambda, hooks (they are Lambda functions), triggers, GitHub revisions, tags.

mod actions;
mod appspec;
mod config;
mod core;
mod deployment;
#[cfg(test)]
mod fake;
mod group;
mod neighbours;
mod revision;
mod run;
#[cfg(test)]
mod tests;

use std::{future::Future, pin::Pin, sync::Arc};

use twin_platform::{Account, Request, Response, Service, Speed};

pub use neighbours::Neighbours;

/// The imitated CodeDeploy. Calls need a tokio runtime around them.
pub struct CodeDeploy {
    core: Arc<core::Core>,
}

impl CodeDeploy {
    /// An empty service.
    pub fn new(account: Account, speed: Speed, neighbours: Neighbours) -> Arc<Self> {
        Arc::new(Self { core: Arc::new(core::Core::new(account, speed, Arc::new(neighbours))) })
    }
}

impl Service for CodeDeploy {
    fn service_name(&self) -> &str {
        "codedeploy"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://codedeploy\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(actions::handle(&self.core, request))
    }
}
