//! What the AWS APIs say of the lab, looked at again and again while a run goes on.

mod alarms;
mod guard;
mod metrics;

use std::{collections::BTreeMap, time::Duration};

use time::OffsetDateTime;
use tokio::{sync::watch, task::AbortHandle};

pub(super) use self::{
    alarms::{AlarmState, Transition, transitions},
    guard::Guard,
};
use crate::{Lab, scenario::Quantity};

/// One look.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// When it was complete.
    pub(super) at: OffsetDateTime,
    /// Tasks wanted and running.
    pub(super) desired: Option<i32>,
    pub(super) running: Option<i32>,
    deployments: Option<usize>,
    /// Targets by state.
    pub(super) targets: Option<BTreeMap<String, i32>>,
    /// Targets by state and reason.
    pub(super) reasons: Vec<(String, String)>,
    /// Alarms by name.
    pub(super) alarms: Option<BTreeMap<String, AlarmState>>,
    /// From CloudWatch.
    pub(super) metrics: BTreeMap<Quantity, f64>,
    /// What a repair must leave as it is.
    pub(super) guard: Option<Guard>,
    /// The first call that failed.
    pub(super) error: Option<String>,
}

/// Looks until it is dropped.
pub(super) struct Watch {
    sights: watch::Receiver<Option<Sight>>,
    task: AbortHandle,
}

impl Watch {
    pub(super) fn start(lab: &Lab, quantities: Vec<Quantity>) -> Self {
        let (publish, sights) = watch::channel(None);
        let lab = lab.clone();
        let between = Duration::from_secs_f64((10.0 / lab.speed).clamp(0.5, 5.0));
        let task = tokio::spawn(async move {
            let mut tick = tokio::time::interval(between);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                let sight = Sight::look(&lab, &quantities).await;
                if publish.send(Some(sight)).is_err() {
                    return;
                }
            }
        })
        .abort_handle();
        Self { sights, task }
    }

    /// The latest look; none before the first.
    pub(super) fn latest(&self) -> Option<Sight> {
        self.sights.borrow().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sight {
    /// Asks everything at the same time. What is not answered is not known.
    pub(super) async fn look(lab: &Lab, quantities: &[Quantity]) -> Self {
        let (guarded, targets, alarms, metrics) =
            tokio::join!(guard::look(lab), targets(lab), alarms::look(lab), metrics::look(lab, quantities),);
        let error = [guarded.as_ref().err(), targets.as_ref().err(), alarms.as_ref().err()];
        let error = error.into_iter().flatten().next().cloned();
        let service = guarded.as_ref().ok();
        let targets = targets.ok();
        Self {
            at: OffsetDateTime::now_utc(),
            desired: service.map(|service| service.desired),
            running: service.map(|service| service.running),
            deployments: service.map(|service| service.deployments),
            targets: targets.as_ref().map(|targets| targets.0.clone()),
            reasons: targets.map(|targets| targets.1).unwrap_or_default(),
            alarms: alarms.ok(),
            metrics,
            guard: guarded.ok().map(|service| service.guard),
            error,
        }
    }

    /// The value of a quantity that is not the load's.
    pub(super) fn value(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::ErrorRatePercent | Quantity::P95Ms => None,
            Quantity::HealthyTargets => {
                self.targets.as_ref().map(|targets| f64::from(targets.get("healthy").copied().unwrap_or_default()))
            }
            Quantity::RunningTasks => self.running.map(f64::from),
            Quantity::Deployments => self.deployments.and_then(|count| u32::try_from(count).ok()).map(f64::from),
            Quantity::SilencedAlarms => {
                let silenced =
                    |alarms: &BTreeMap<String, AlarmState>| alarms.values().filter(|alarm| alarm.silenced).count();
                self.alarms.as_ref().and_then(|alarms| u32::try_from(silenced(alarms)).ok()).map(f64::from)
            }
            Quantity::DatabaseSessions
            | Quantity::TaskCpuPercent
            | Quantity::TaskMemoryPercent
            | Quantity::UnhealthyDependencies
            | Quantity::UnreadableAnswers => self.metrics.get(&quantity).copied(),
        }
    }

    /// Names of the alarms that are in ALARM.
    pub(super) fn alarming(&self) -> Vec<&str> {
        let alarms = self.alarms.iter().flatten();
        alarms.filter(|(_, alarm)| alarm.state == "ALARM").map(|(name, _)| name.as_str()).collect()
    }
}

/// Targets by state, and each state with its reason.
type Targets = (BTreeMap<String, i32>, Vec<(String, String)>);

async fn targets(lab: &Lab) -> Result<Targets, String> {
    let group = lab.clients.elbv2.describe_target_groups().names(contract::names::resource::TARGET_GROUP).send().await;
    let group = group
        .map_err(|error| reset::AwsError::from_sdk("elasticloadbalancing:DescribeTargetGroups")(error).to_string())?;
    let arn = group.target_groups().first().and_then(|group| group.target_group_arn().map(str::to_owned));
    let health = lab.clients.elbv2.describe_target_health().set_target_group_arn(arn).send().await;
    let health = health
        .map_err(|error| reset::AwsError::from_sdk("elasticloadbalancing:DescribeTargetHealth")(error).to_string())?;
    let (mut states, mut reasons) = (BTreeMap::new(), Vec::new());
    for target in health.target_health_descriptions() {
        let health = target.target_health();
        let state = health.and_then(|health| health.state()).map_or("unknown", |state| state.as_str()).to_owned();
        let reason = health.and_then(|health| health.reason()).map_or("", |reason| reason.as_str()).to_owned();
        *states.entry(state.clone()).or_default() += 1;
        reasons.push((state, reason));
    }
    Ok((states, reasons))
}
