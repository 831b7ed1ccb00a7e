//! A lab of three services, and a clock for its alarms.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use twin_autoscaling::AutoScaling;
use twin_cloudwatch::CloudWatch;
use twin_platform::{
    Account, AwsError, Request, Response, Service, Speed,
    json::ask,
    seam::{AlarmActions, AlarmNotification},
};

pub(crate) const ID: &str = "service/golden/web";

/// One service: desired and running count, and whether a deployment is under way.
pub(crate) struct Ecs(Mutex<(i64, i64, bool)>);

impl Ecs {
    pub(crate) fn with<R>(&self, edit: impl FnOnce(&mut (i64, i64, bool)) -> R) -> R {
        edit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, request: &Request) -> Value {
        let action = request.headers["x-amz-target"].to_str().expect("text").to_owned();
        let input: Value = serde_json::from_slice(&request.body).expect("JSON");
        self.with(|(desired, running, deploying)| {
            if action.ends_with(".UpdateService") {
                *desired = input["desiredCount"].as_i64().expect("a count");
            }
            let known = input["services"][0] == "web" || input["service"] == "web";
            let state = if *deploying { "IN_PROGRESS" } else { "COMPLETED" };
            let group = "arn:aws:elasticloadbalancing:r:1:targetgroup/web/2b";
            let service = json!({
                "status": "ACTIVE", "desiredCount": *desired, "runningCount": *running,
                "deployments": [{ "rolloutState": state }], "loadBalancers": [{ "targetGroupArn": group }],
            });
            json!({ "services": if known { json!([service]) } else { json!([]) } })
        })
    }
}

impl Service for Ecs {
    fn service_name(&self) -> &str {
        "ecs"
    }

    fn url_patterns(&self) -> Vec<&str> {
        Vec::new()
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move { Response::json(200, self.answer(&request).to_string()) })
    }
}

#[derive(Default)]
struct Later(OnceLock<Weak<AutoScaling>>);

#[async_trait]
impl AlarmActions for Later {
    async fn run(&self, action_arn: &str, notification: &AlarmNotification) -> Result<(), AwsError> {
        self.0.get().and_then(Weak::upgrade).expect("it is set").run(action_arn, notification).await
    }
}

pub(crate) struct Lab {
    pub(crate) scaling: Arc<AutoScaling>,
    pub(crate) cloudwatch: Arc<CloudWatch>,
    pub(crate) ecs: Arc<Ecs>,
    /// The start of the present minute, in seconds since the epoch.
    pub(crate) minute: i64,
}

impl Lab {
    /// A service of two tasks that run, which may have two to six.
    pub(crate) async fn new() -> Self {
        let (account, speed) = (Account::in_region("us-east-1"), Speed::new(1.0).expect("in range"));
        let ecs = Arc::new(Ecs(Mutex::new((2, 2, false))));
        let later = Arc::new(Later::default());
        let cloudwatch = CloudWatch::new(account.clone(), speed, later.clone());
        let scaling = AutoScaling::new(account, speed, ecs.clone(), cloudwatch.clone());
        later.0.set(Arc::downgrade(&scaling)).expect("set once");
        let minute = twin_platform::now_ms() / 60_000 * 60;
        let lab = Self { scaling, cloudwatch, ecs, minute };
        lab.ok("RegisterScalableTarget", json!({ "MinCapacity": 2, "MaxCapacity": 6 })).await;
        lab
    }

    pub(crate) async fn call(&self, action: &str, input: Value) -> Result<Value, AwsError> {
        let mut whole = json!({
            "ServiceNamespace": "ecs", "ResourceId": ID, "ScalableDimension": "ecs:service:DesiredCount",
        });
        for (member, value) in input.as_object().expect("members") {
            whole[member] = value.clone();
        }
        ask(&*self.scaling, &format!("AnyScaleFrontendService.{action}"), &whole).await
    }

    pub(crate) async fn ok(&self, action: &str, input: Value) -> Value {
        self.call(action, input).await.unwrap_or_else(|error| panic!("{action}: {error}"))
    }

    pub(crate) async fn refused(&self, action: &str, input: Value) -> AwsError {
        self.call(action, input).await.expect_err(action)
    }

    /// Target tracking of `Shop/<metric>` at 60, without waiting after a scale-out.
    pub(crate) async fn track(&self, policy: &str, metric: &str, changes: Value) -> Value {
        let mut settings = json!({
            "TargetValue": 60.0, "ScaleOutCooldown": 0, "ScaleInCooldown": 0,
            "CustomizedMetricSpecification": { "MetricName": metric, "Namespace": "Shop", "Statistic": "Average" },
        });
        for (member, value) in changes.as_object().expect("members") {
            settings[member] = value.clone();
        }
        let body = json!({
            "PolicyName": policy, "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": settings,
        });
        self.ok("PutScalingPolicy", body).await
    }

    pub(crate) async fn ask_cloudwatch(&self, action: &str, input: Value) -> Value {
        let target = format!("GraniteServiceVersion20100801.{action}");
        ask(&*self.cloudwatch, &target, &input).await.unwrap_or_else(|error| panic!("{action}: {error}"))
    }

    pub(crate) async fn alarms(&self) -> Vec<Value> {
        self.ask_cloudwatch("DescribeAlarms", json!({})).await["MetricAlarms"].as_array().cloned().unwrap_or_default()
    }

    /// The last `minutes` minutes of the metric had this value.
    pub(crate) async fn was(&self, metric: &str, minutes: i64, value: f64) {
        for minute in 1..=minutes {
            let datum = json!({ "MetricName": metric, "Timestamp": self.minute - 60 * minute, "Value": value });
            self.ask_cloudwatch("PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] })).await;
        }
    }

    /// Evaluates the alarms of this minute, and lets the policies act.
    pub(crate) async fn evaluate(&self) {
        self.cloudwatch.evaluate(self.minute * 1000 + 500);
        self.cloudwatch.run_actions().await;
    }

    pub(crate) fn desired(&self) -> i64 {
        self.ecs.with(|(desired, ..)| *desired)
    }

    /// Newest first.
    pub(crate) async fn activities(&self) -> Vec<Value> {
        let described = self.ok("DescribeScalingActivities", json!({ "IncludeNotScaledActivities": true })).await;
        described["ScalingActivities"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) async fn newest_reason(&self) -> Value {
        self.activities().await.first().map(|newest| newest["NotScaledReasons"][0].clone()).unwrap_or_default()
    }
}
