//! The metrics that the platform emits, with AWS's names, dimensions and units: `AWS/ApplicationELB`, `AWS/ECS`,
//! `ECS/ContainerInsights`, `AWS/RDS`, `AWS/SQS` and `AWS/WAFV2`.
//!
//! Promises: what is emitted was counted or measured. What AWS reports once a minute is sampled three times in a minute of the
//! platform's (`--speed` divides it), so that an alarm's period is never empty; requests are summed up every second.
//! Refuses: metrics by availability zone, and those whose cause is not imitated (TLS, Lambda, gp2 burst balance, replication).

mod balancer;
mod database;
mod tasks;

use std::{borrow::Cow, sync::Arc, time::Duration};

pub(crate) use balancer::Requests;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use twin_database::Database;
use twin_ecs::Ecs;
use twin_elbv2::Elbv2;
use twin_messaging::Sqs;
use twin_platform::{
    Speed, now_ms,
    seam::{Datum, MetricSink},
};
use twin_waf::Waf;

/// Requests are summed up this often: CloudWatch keeps nothing finer.
const SECOND: Duration = Duration::from_secs(1);
/// Seconds of the platform between two samples.
const SAMPLE_S: f64 = 20.0;

/// Whose metrics are emitted, and where to.
pub(crate) struct Sources {
    /// Counted by whoever sees the load balancers' requests.
    pub(crate) requests: Arc<Requests>,
    pub(crate) elbv2: Arc<Elbv2>,
    pub(crate) ecs: Arc<Ecs>,
    pub(crate) database: Arc<Database>,
    pub(crate) queues: Arc<Sqs>,
    pub(crate) waf: Arc<Waf>,
    pub(crate) sink: Arc<dyn MetricSink>,
    pub(crate) speed: Speed,
}

/// Starts to sum up and to sample, until the token is cancelled.
pub(crate) fn emit(sources: Sources, stop: &CancellationToken) {
    let (requests, elbv2, sink) = (sources.requests.clone(), sources.elbv2.clone(), sources.sink.clone());
    let waf = sources.waf.clone();
    let counting = async move {
        let mut tick = every(SECOND);
        loop {
            tick.tick().await;
            sink.put(requests.take(&elbv2, now_ms()));
            sink.put(waf.sample(now_ms()));
        }
    };
    let sampling = async move {
        let Sources { elbv2, ecs, database, queues, sink, speed, .. } = sources;
        let (mut connections, mut tasks, mut instance) =
            (balancer::Connections::default(), tasks::Tasks::default(), database::Instance::default());
        let mut tick = every(speed.wait(SAMPLE_S).max(SECOND));
        loop {
            tick.tick().await;
            let now_ms = now_ms();
            sink.put(connections.sample(&elbv2, now_ms));
            sink.put(queues.sample(now_ms));
            sink.put(tasks.sample(&ecs.usage(), Instant::now(), now_ms));
            match database.measure().await {
                Ok(Some(seen)) => sink.put(instance.sample(seen, Instant::now(), now_ms)),
                // A stopped instance has no metrics.
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "the database was not measured"),
            }
        }
    };
    tokio::spawn(stop.clone().run_until_cancelled_owned(counting));
    tokio::spawn(stop.clone().run_until_cancelled_owned(sampling));
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut tick = tokio::time::interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// Name and value of each dimension.
type Dimensions = Vec<(Cow<'static, str>, String)>;

/// Makes data of one namespace, dimensions and moment.
struct Writer<'a> {
    namespace: &'static str,
    timestamp_ms: i64,
    data: &'a mut Vec<Datum>,
}

impl Writer<'_> {
    fn values(&mut self, dimensions: &Dimensions, name: &'static str, unit: &'static str, values: Vec<(f64, f64)>) {
        if values.is_empty() {
            return;
        }
        self.data.push(Datum {
            namespace: self.namespace.into(),
            name: name.into(),
            dimensions: dimensions.clone(),
            unit,
            timestamp_ms: self.timestamp_ms,
            values,
        });
    }

    fn value(&mut self, dimensions: &Dimensions, name: &'static str, unit: &'static str, value: f64) {
        self.values(dimensions, name, unit, vec![(value, 1.0)]);
    }
}

/// A count as CloudWatch has it.
#[allow(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

fn dimensions<const N: usize>(pairs: [(&'static str, &str); N]) -> Dimensions {
    pairs.into_iter().map(|(name, value)| (name.into(), value.to_owned())).collect()
}
