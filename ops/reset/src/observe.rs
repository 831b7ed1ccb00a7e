//! The state of the lab as AWS, the balancer and the database tell it.
//!
//! Promises: it changes nothing, and each part carries its own error, so that a sick lab can be looked at.
//! Refuses: to guess. What was not answered is an error in its part, never a default.

mod balancer;
mod code_deploy;
mod database;
mod effective;
mod firewall;
mod missing;
mod parameter;
mod part;
mod reads;
mod roles;
mod scaling;
mod secret;
mod service;
mod serving;
mod task;

pub use balancer::{Balancer, HealthCheck, Target, target_group_arn};
pub use database::{Database, HeldTransaction, Login, LoginState, Sessions};
pub(crate) use database::{Session, count_leaked};
pub use effective::{Effective, Via};
pub use firewall::Firewall;
pub use missing::Missing;
pub use parameter::Parameter;
pub use part::Part;
pub use reads::{Reads, reads};
pub use roles::RolePolicy;
#[cfg(test)]
pub(crate) use roles::place;
pub use scaling::{Limits, Scaling};
pub use secret::{Secret, SecretVersion};
pub(crate) use secret::{StoredSecret, read as read_secret, read_version};
pub(crate) use service::by_code_deploy;
pub use service::{Deployment, Service, ServiceEvent};
pub use serving::{Serving, read as read_serving};
pub use task::{StoppedTask, Task, running as running_tasks};

use serde::Serialize;
use time::OffsetDateTime;

use crate::{Clients, Names, probe::Probe};

/// What was seen, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Observation {
    /// When the observation was complete.
    #[serde(with = "time::serde::rfc3339")]
    pub observed_at: OffsetDateTime,
    /// The desired failure mode.
    pub parameter: Part<Parameter>,
    /// The ECS service.
    pub service: Part<Service>,
    /// Its tasks that are not stopped.
    pub tasks: Part<Vec<Task>>,
    /// Its tasks that stopped lately (ECS forgets them after about an hour).
    pub stopped_tasks: Part<Vec<StoppedTask>>,
    /// Address of the load balancer.
    pub balancer: Part<Balancer>,
    /// Health-check settings of the target group.
    pub health_check: Part<HealthCheck>,
    /// Registered targets with their health.
    pub targets: Part<Vec<Target>>,
    /// The web ACL in front of the load balancer.
    pub firewall: Part<Firewall>,
    /// The parameter's version that each running task applies.
    pub effective: Vec<Effective>,
    /// Auto scaling of the service; none where it is not scaled.
    pub scaling: Part<Option<Scaling>>,
    /// Policies of the task's roles.
    pub role_policies: Part<Vec<RolePolicy>>,
    /// The database secret, without its value.
    pub secret: Part<Secret>,
    /// The database, looked at with the secret's current credentials.
    pub database: Part<Database>,
    /// Given names that are wrong, and things that are lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

impl Observation {
    /// Takes out what a blind value says, for those who are to find the fault.
    pub fn hide(&mut self) {
        if let Part::Known(parameter) = &mut self.parameter {
            parameter.hide();
        }
    }
}

/// Nothing could be observed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObserveError {
    /// No AWS API answered; the first failure stands for all.
    #[error("no AWS API answers ({0}); start the lab, or mend AWS_ENDPOINT_URL, AWS_REGION or the credentials")]
    Unreachable(String),
}

/// Looks at everything, the independent parts at the same time.
///
/// # Errors
/// [`ObserveError`] when no AWS API answers. Anything less is an error in its part of the observation.
pub async fn observe(clients: &Clients, names: &Names) -> Result<Observation, ObserveError> {
    Observer::new(clients.clone(), names.clone()).observe().await
}

/// Observes again and again, and remembers which way to the tasks works, so that a poll is quick.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) clients: Clients,
    pub(crate) names: Names,
    pub(crate) probe: Probe,
    effective: effective::Reader,
}

impl Observer {
    pub(crate) fn new(clients: Clients, names: Names) -> Self {
        Self { clients, names, probe: Probe::new(), effective: effective::Reader::default() }
    }

    pub(crate) async fn observe(&mut self) -> Result<Observation, ObserveError> {
        let (clients, names) = (&self.clients, &self.names);
        let (parameter, cluster, scaling, secret_and_database) = tokio::join!(
            parameter::read(clients, names),
            cluster(clients, names),
            scaling::read(clients, names),
            secret_and_database(clients, names),
        );
        let (secret, database) = secret_and_database;
        let Cluster { service, tasks, stopped_tasks, balancer, health_check, targets } = cluster;
        let unanswered = |errors: [Option<&crate::AwsError>; 3]| -> Option<String> {
            errors
                .iter()
                .all(|error| error.is_some_and(crate::AwsError::is_unanswered))
                .then(|| errors.into_iter().flatten().map(ToString::to_string).next().unwrap_or_default())
        };
        if let Some(reason) = unanswered([
            parameter.as_ref().err(),
            service.as_ref().err(),
            secret.as_ref().err().and_then(secret::aws_error),
        ]) {
            return Err(ObserveError::Unreachable(reason));
        }
        let missing = missing::find(names, service.as_ref(), health_check.as_ref().err(), secret.as_ref().err());
        let role_policies = match &service {
            Ok(service) => roles::read(clients, &service.arn).await,
            Err(error) => Err(error.clone()),
        };
        let of_balancer = balancer.as_ref().ok().and_then(|balancer| balancer.arn.as_deref());
        let firewall = firewall::read(clients, of_balancer).await;
        let effective = match &tasks {
            Ok(tasks) => {
                let url = balancer.as_ref().ok().map(|balancer| balancer.url.as_str());
                self.effective.read(&self.probe, tasks, url).await
            }
            Err(_) => Vec::new(),
        };
        Ok(Observation {
            observed_at: OffsetDateTime::now_utc(),
            parameter: parameter.into(),
            service: service.into(),
            tasks: tasks.into(),
            stopped_tasks: stopped_tasks.into(),
            balancer: balancer.into(),
            health_check: health_check.into(),
            targets: targets.into(),
            firewall: firewall.into(),
            effective,
            scaling: scaling.into(),
            role_policies: role_policies.into(),
            secret: secret.into(),
            database,
            missing,
        })
    }
}

/// What hangs on the service: tasks and balancer are found through it.
struct Cluster {
    service: Result<Service, crate::AwsError>,
    tasks: Result<Vec<Task>, crate::AwsError>,
    stopped_tasks: Result<Vec<StoppedTask>, crate::AwsError>,
    balancer: Result<Balancer, crate::AwsError>,
    health_check: Result<HealthCheck, crate::AwsError>,
    targets: Result<Vec<Target>, crate::AwsError>,
}

async fn cluster(clients: &Clients, names: &Names) -> Cluster {
    let (service, tasks, stopped_tasks) =
        tokio::join!(service::read(clients, names), task::running(clients, names), task::stopped(clients, names));
    let unknown = Serving::default();
    let serving = service.as_ref().map_or(&unknown, |service| &service.serving);
    match balancer::locate_target_group(clients, names, serving).await {
        Ok(arn) => {
            let (group, targets) =
                tokio::join!(balancer::group(clients, names, &arn), balancer::targets(clients, &arn));
            let (balancer, health_check) = match group {
                Ok((balancer, health_check)) => (balancer, Ok(health_check)),
                Err(error) => (Err(error.clone()), Err(error)),
            };
            Cluster { service, tasks, stopped_tasks, balancer, health_check, targets }
        }
        Err(error) => Cluster {
            service,
            tasks,
            stopped_tasks,
            balancer: Err(error.clone()),
            health_check: Err(error.clone()),
            targets: Err(error),
        },
    }
}

async fn secret_and_database(
    clients: &Clients,
    names: &Names,
) -> (Result<Secret, secret::SecretError>, Part<Database>) {
    match secret::read(clients, names).await {
        Ok(stored) => {
            let database = match &stored.credentials {
                Ok(credentials) => Part::Known(database::look(credentials).await),
                Err(error) => Part::error(error),
            };
            (Ok(stored.secret), database)
        }
        Err(error) => {
            let database = Part::error(format_args!("no credentials: {error}"));
            (Err(error), database)
        }
    }
}
