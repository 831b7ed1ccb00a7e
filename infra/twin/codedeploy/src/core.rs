//! What the service knows: applications with their groups, configurations, deployments.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use twin_platform::{Account, AwsError, Speed, now_ms};
use winterbaume_codedeploy::model::{ApplicationInfo, DeploymentConfigInfo, DeploymentGroupInfo};

use crate::{config, deployment::Deployment, neighbours::Platform};

pub(crate) struct Core {
    pub(crate) account: Account,
    pub(crate) speed: Speed,
    pub(crate) platform: Arc<dyn Platform>,
    state: Mutex<State>,
    /// Wakes deployments that wait, after a call that concerns one of them.
    pub(crate) told: Notify,
}

pub(crate) struct State {
    pub(crate) applications: BTreeMap<String, Application>,
    pub(crate) configs: BTreeMap<String, DeploymentConfigInfo>,
    /// Oldest first.
    pub(crate) deployments: Vec<Deployment>,
}

pub(crate) struct Application {
    pub(crate) info: ApplicationInfo,
    pub(crate) groups: BTreeMap<String, DeploymentGroupInfo>,
}

impl Core {
    pub(crate) fn new(account: Account, speed: Speed, platform: Arc<dyn Platform>) -> Self {
        let named = |config: DeploymentConfigInfo| (config.deployment_config_name.clone().unwrap_or_default(), config);
        let state = State {
            applications: BTreeMap::new(),
            configs: config::predefined(now_s()).map(named).collect(),
            deployments: Vec::new(),
        };
        Self { account, speed, platform, state: Mutex::new(state), told: Notify::new() }
    }

    /// Never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding it leaves whole entries or none.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes one deployment; one that is gone is left alone.
    pub(crate) fn edit<T>(&self, id: &str, edit: impl FnOnce(&mut Deployment) -> T) -> Option<T> {
        self.state().deployments.iter_mut().find(|it| it.id() == id).map(edit)
    }
}

impl State {
    pub(crate) fn application(&mut self, name: &str) -> Result<&mut Application, AwsError> {
        required(name, "ApplicationNameRequiredException", "Application name is required")?;
        self.applications.get_mut(name).ok_or_else(|| {
            let message = format!("No application found for name: {name}");
            AwsError::client("ApplicationDoesNotExistException", message)
        })
    }

    pub(crate) fn group(&mut self, application: &str, name: &str) -> Result<&mut DeploymentGroupInfo, AwsError> {
        let found = self.application(application)?;
        required(name, "DeploymentGroupNameRequiredException", "Deployment group name is required")?;
        found.groups.get_mut(name).ok_or_else(|| {
            let message = format!("No Deployment Group found for name: {name}");
            AwsError::client("DeploymentGroupDoesNotExistException", message)
        })
    }

    pub(crate) fn config(&self, name: &str) -> Result<&DeploymentConfigInfo, AwsError> {
        self.configs.get(name).ok_or_else(|| {
            let message = format!("No deployment configuration found for name: {name}");
            AwsError::client("DeploymentConfigDoesNotExistException", message)
        })
    }

    pub(crate) fn deployment(&mut self, id: &str) -> Result<&mut Deployment, AwsError> {
        required(id, "DeploymentIdRequiredException", "Deployment id is required")?;
        let well_formed = id.strip_prefix("d-").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        });
        if !well_formed {
            return Err(AwsError::client(
                "InvalidDeploymentIdException",
                format!("Specified DeploymentId is not in the valid format: {id}"),
            ));
        }
        self.deployments.iter_mut().find(|it| it.id() == id).ok_or_else(|| {
            let message = format!("The deployment {id} could not be found");
            AwsError::client("DeploymentDoesNotExistException", message)
        })
    }

    /// The deployment that is under way in a group.
    pub(crate) fn active(&self, application: &str, group: &str) -> Option<&Deployment> {
        self.deployments.iter().find(|it| it.is_of(application, group) && !it.status().is_over())
    }
}

/// Refuses an empty name.
fn required(name: &str, code: &str, message: &str) -> Result<(), AwsError> {
    if name.is_empty() { Err(AwsError::client(code, message)) } else { Ok(()) }
}

/// Seconds since the epoch, as the API has its times.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
pub(crate) fn now_s() -> f64 {
    now_ms() as f64 / 1000.0
}
