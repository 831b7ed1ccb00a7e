//! Application Auto Scaling for the twin: scalable targets, step scaling and target tracking of ECS services.
//!
//! Promises: it acts as AWS's service does – through the APIs of CloudWatch (the alarms of target tracking) and ECS
//! (UpdateService with a desired count), and only because an alarm named one of its policies or somebody moved a target's
//! bounds. Every change is an activity that says why. One decision is made at a time, and a call that fails leaves nothing
//! behind: no alarm without its policy, no policy without its alarms. Decisions are pure functions in `decide`.
//!
//! Time: cooldowns are divided by the speed, as the alarms' periods are.
//!
//! AWS does not publish how target tracking computes a capacity. Here it is the mean of the datapoints that raised the alarm
//! over the target value, rounded up; on the way in the highest of those datapoints, and at most a tenth of the tasks (at
//! least one) at a time, since the guide says only that it "scales in more gradually".
//!
//! Refuses by name: every resource but ECS services, scheduled actions, predictive scaling, metric math in a target tracking
//! policy.

mod activity;
mod alarms;
mod api;
mod decide;
mod policy;
mod react;
mod target;
mod watch;

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};
use twin_platform::{
    Account, AwsError, Request, Response, Service, Speed,
    json::ask,
    seam::{AlarmActions, AlarmNotification},
};

use activity::Activities;
use target::{Place, Target};

/// The service.
pub struct AutoScaling {
    account: Account,
    speed: Speed,
    ecs: Arc<dyn Service>,
    cloudwatch: Arc<dyn Service>,
    /// Held over the calls to ECS and CloudWatch, so that decisions do not overtake each other. Neither of them ever waits for
    /// this service.
    state: Mutex<State>,
    /// Wakes whoever follows activities to their end.
    begun: Notify,
}

/// The SigV4 scope.
pub(crate) const SCOPE: &str = "application-autoscaling";

/// What is registered, and what was done.
#[derive(Debug, Default)]
struct State {
    targets: BTreeMap<Place, Target>,
    activities: Activities,
}

impl AutoScaling {
    /// A service without targets, which acts on this ECS and this CloudWatch.
    pub fn new(account: Account, speed: Speed, ecs: Arc<dyn Service>, cloudwatch: Arc<dyn Service>) -> Arc<Self> {
        Arc::new(Self { account, speed, ecs, cloudwatch, state: Mutex::default(), begun: Notify::new() })
    }

    /// Whether an alarm's action with this ARN is a scaling policy.
    pub fn is_policy(action_arn: &str) -> bool {
        action_arn.starts_with("arn:aws:autoscaling:")
    }

    async fn ask_cloudwatch(&self, action: &str, input: &Value) -> Result<Value, AwsError> {
        ask(&*self.cloudwatch, &format!("GraniteServiceVersion20100801.{action}"), input).await
    }

    async fn ask_ecs(&self, action: &str, input: &Value) -> Result<Value, AwsError> {
        ask(&*self.ecs, &format!("AmazonEC2ContainerServiceV20141113.{action}"), input).await
    }

    /// The service as DescribeServices has it; none when it is not there, or not ACTIVE any more.
    async fn service(&self, place: &Place) -> Result<Option<Value>, AwsError> {
        let input = json!({ "cluster": place.cluster, "services": [place.service] });
        let mut described = match self.ask_ecs("DescribeServices", &input).await {
            Err(error) if error.code == "ClusterNotFoundException" => return Ok(None),
            described => described?,
        };
        let service = described["services"].get_mut(0).map(Value::take);
        Ok(service.filter(|service| service["status"] == "ACTIVE"))
    }
}

/// Tasks wanted and running.
fn counts(service: &Value) -> (i64, i64) {
    let count = |member: &str| service[member].as_i64().unwrap_or_default();
    (count("desiredCount"), count("runningCount"))
}

impl Service for AutoScaling {
    fn service_name(&self) -> &str {
        "application-autoscaling"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://application-autoscaling\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(api::answer(self, request))
    }
}

#[async_trait]
impl AlarmActions for AutoScaling {
    /// Lets the policy of that ARN decide. That nothing is done is no error.
    async fn run(&self, action_arn: &str, notification: &AlarmNotification) -> Result<(), AwsError> {
        self.react(action_arn, notification).await
    }
}
