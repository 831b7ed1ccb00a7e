//! One task and its container, from PROVISIONING to STOPPED.

use std::{sync::Arc, time::Instant};

use tokio_util::sync::CancellationToken;
use twin_platform::Account;
use winterbaume_ecs::model::{self, ContainerDefinition, ContainerOverride, KeyValuePair, Tag};

use super::{Definition, ServiceKey, TargetOf};
use crate::{arn, credentials::TaskCredentials, place::Place};

/// `lastStatus` of a task, in the order of a task's life ("Task lifecycle" in the ECS developer guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DesiredStatus {
    Running,
    Stopped,
}

impl DesiredStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Why a task stops: `stopCode` and `stoppedReason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

/// Seconds since the epoch.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskTimes {
    pub(crate) created: f64,
    pub(crate) pull_started: Option<f64>,
    pub(crate) pull_stopped: Option<f64>,
    pub(crate) started: Option<f64>,
    pub(crate) stopping: Option<f64>,
    pub(crate) execution_stopped: Option<f64>,
    pub(crate) stopped: Option<f64>,
}

/// The one container of a task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) image_digest: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    /// `UNKNOWN`, `HEALTHY` or `UNHEALTHY`.
    pub(crate) health: &'static str,
}

pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) sequence: u64,
    pub(crate) cluster: String,
    pub(crate) definition: Arc<Definition>,
    pub(crate) service: Option<ServiceKey>,
    pub(crate) group: String,
    /// The deployment's id for a service's task, else what the caller said.
    pub(crate) started_by: Option<String>,
    pub(crate) overrides: model::TaskOverride,
    pub(crate) tags: Vec<Tag>,
    pub(crate) zone: String,
    pub(crate) subnet: String,
    pub(crate) attachment_id: String,
    pub(crate) targets: Vec<TargetOf>,
    pub(crate) credentials: Option<TaskCredentials>,
    pub(crate) status: Status,
    pub(crate) desired: DesiredStatus,
    pub(crate) times: TaskTimes,
    pub(crate) place: Option<Place>,
    pub(crate) container: Container,
    pub(crate) stop: Option<Stop>,
    /// Cancelled when the task is to stop.
    pub(crate) stop_signal: CancellationToken,
    /// When it turned RUNNING; the grace period counts from here.
    pub(crate) running_since: Option<Instant>,
    pub(crate) stopped: Option<Instant>,
    /// Whether it was healthy at any time, in its service's eyes.
    pub(crate) ever_good: bool,
    /// The events that its service has told of its failing checks.
    pub(crate) told: Vec<String>,
    /// Whether its service has taken note of its end.
    pub(crate) accounted: bool,
}

/// What a task's life needs to know and what never changes.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) service: Option<ServiceKey>,
    pub(crate) started_by: String,
    pub(crate) definition: Arc<Definition>,
    pub(crate) container: ContainerDefinition,
    pub(crate) overrides: ContainerOverride,
    pub(crate) role: Option<String>,
    pub(crate) targets: Vec<TargetOf>,
    pub(crate) stop_signal: CancellationToken,
}

impl Task {
    pub(crate) fn order(&self) -> Order {
        let name = self.definition.container_name();
        let mut overrides = self.overrides.container_overrides.iter().flatten();
        Order {
            id: self.id.clone(),
            service: self.service.clone(),
            started_by: self.started_by.clone().unwrap_or_default(),
            definition: self.definition.clone(),
            container: self.definition.container.clone(),
            overrides: overrides.rfind(|it| it.name.as_deref() == Some(name)).cloned().unwrap_or_default(),
            role: self.credentials.as_ref().map(|it| it.role_arn.clone()),
            targets: self.targets.clone(),
            stop_signal: self.stop_signal.clone(),
        }
    }

    /// Asks the task to stop; the first reason given stays.
    pub(crate) fn ask_to_stop(&mut self, code: &'static str, reason: impl Into<String>) {
        if self.desired == DesiredStatus::Running {
            self.desired = DesiredStatus::Stopped;
            self.stop = Some(Stop { code, reason: reason.into() });
            self.stop_signal.cancel();
        }
    }

    /// The API's view.
    pub(crate) fn wire(&self, account: &Account) -> model::Task {
        let pair = |name: &str, value: String| KeyValuePair { name: Some(name.to_owned()), value: Some(value) };
        let address = self.place.as_ref().map(|place| place.address);
        let mut details = vec![pair("subnetId", self.subnet.clone())];
        if let Some(address) = address {
            let [_, _, third, fourth] = address.octets();
            details.push(pair("networkInterfaceId", format!("eni-{}", &self.attachment_id.replace('-', "")[..17])));
            details.push(pair("macAddress", format!("0a:58:7f:00:{third:02x}:{fourth:02x}")));
            details.push(pair("privateDnsName", format!("ip-{}.ec2.internal", address.to_string().replace('.', "-"))));
            details.push(pair("privateIPv4Address", address.to_string()));
        }
        let attached = match self.status {
            Status::Provisioning => "PRECREATED",
            Status::Stopped | Status::Deprovisioning => "DELETED",
            _ => "ATTACHED",
        };
        model::Task {
            task_arn: Some(arn::task(account, &self.cluster, &self.id)),
            cluster_arn: Some(arn::cluster(account, &self.cluster)),
            task_definition_arn: Some(self.definition.arn.clone()),
            attachments: Some(vec![model::Attachment {
                id: Some(self.attachment_id.clone()),
                r#type: Some("ElasticNetworkInterface".into()),
                status: Some(attached.to_owned()),
                details: Some(details),
            }]),
            attributes: Some(vec![model::Attribute {
                name: "ecs.cpu-architecture".into(),
                value: Some(std::env::consts::ARCH.to_owned()),
                ..model::Attribute::default()
            }]),
            availability_zone: Some(self.zone.clone()),
            connectivity: self.times.started.map(|_| "CONNECTED".to_owned()),
            connectivity_at: self.times.pull_started,
            containers: Some(vec![self.container_wire(account, address)]),
            cpu: Some(self.definition.cpu_units.to_string()),
            memory: Some(self.definition.memory_mib.to_string()),
            created_at: Some(self.times.created),
            pull_started_at: self.times.pull_started,
            pull_stopped_at: self.times.pull_stopped,
            started_at: self.times.started,
            stopping_at: self.times.stopping,
            execution_stopped_at: self.times.execution_stopped,
            stopped_at: self.times.stopped,
            desired_status: Some(self.desired.as_str().to_owned()),
            last_status: Some(self.status.as_str().to_owned()),
            health_status: Some(self.container.health.to_owned()),
            enable_execute_command: Some(false),
            ephemeral_storage: Some(model::EphemeralStorage { size_in_gi_b: 20 }),
            group: Some(self.group.clone()),
            launch_type: Some("FARGATE".into()),
            platform_family: Some("Linux".into()),
            platform_version: Some("1.4.0".into()),
            overrides: Some(self.overrides.clone()),
            started_by: self.started_by.clone(),
            stop_code: self.stop.as_ref().map(|stop| stop.code.to_owned()),
            stopped_reason: self.stop.as_ref().map(|stop| stop.reason.clone()),
            tags: Some(self.tags.clone()),
            version: Some(1 + self.status as i64),
            ..model::Task::default()
        }
    }

    fn container_wire(&self, account: &Account, address: Option<std::net::Ipv4Addr>) -> model::Container {
        let definition = &self.definition.container;
        let interface = address.map(|address| model::NetworkInterface {
            attachment_id: Some(self.attachment_id.clone()),
            private_ipv4_address: Some(address.to_string()),
            ..model::NetworkInterface::default()
        });
        let status = match self.status {
            Status::Running | Status::Deactivating => "RUNNING",
            Status::Stopping if self.container.exit_code.is_none() => "RUNNING",
            Status::Stopping | Status::Deprovisioning | Status::Stopped => "STOPPED",
            _ => "PENDING",
        };
        model::Container {
            container_arn: Some(arn::container(account, &self.cluster, &self.id, &self.container.id)),
            task_arn: Some(arn::task(account, &self.cluster, &self.id)),
            name: definition.name.clone(),
            image: definition.image.clone(),
            image_digest: self.container.image_digest.clone(),
            runtime_id: self.container.pid.map(|_| self.runtime_id()),
            last_status: Some(status.to_owned()),
            exit_code: self.container.exit_code,
            reason: self.container.reason.clone(),
            health_status: Some(self.container.health.to_owned()),
            network_bindings: Some(Vec::new()),
            network_interfaces: Some(interface.into_iter().collect()),
            cpu: Some(definition.cpu.unwrap_or(0).to_string()),
            memory: definition.memory.map(|mib| mib.to_string()),
            memory_reservation: definition.memory_reservation.map(|mib| mib.to_string()),
            ..model::Container::default()
        }
    }

    /// `<task id>-<digits>`, as Fargate names containers.
    pub(crate) fn runtime_id(&self) -> String {
        let digits =
            self.container.id.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        format!("{}-{:010}", self.id, digits % 10_000_000_000)
    }
}
