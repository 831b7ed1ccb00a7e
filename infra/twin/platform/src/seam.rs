//! The seams through which one imitated service asks another, so that each can be built and tested alone.

use std::{borrow::Cow, net::Ipv4Addr};

use async_trait::async_trait;

use crate::AwsError;

/// Health of one target as `DescribeTargetHealth` words it (`TargetHealth` in the ELBv2 API reference).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining`.
    pub state: &'static str,
    /// `Elb.InitialHealthChecking`, `Target.ResponseCodeMismatch`, …; none when healthy.
    pub reason: Option<&'static str>,
    /// For people, as AWS words it: `Health checks failed with these codes: [500]`.
    pub description: Option<String>,
}

/// What ECS asks of Elastic Load Balancing.
#[async_trait]
pub trait Targets: Send + Sync {
    /// Registers `address:port` in the target group.
    async fn register(&self, target_group_arn: &str, address: Ipv4Addr, port: u16) -> Result<(), AwsError>;
    /// Starts draining the target; it is gone once the deregistration delay is over or its last request has ended.
    async fn deregister(&self, target_group_arn: &str, address: Ipv4Addr, port: u16) -> Result<(), AwsError>;
    /// The target's health; none when it is not registered (any more).
    async fn health(&self, target_group_arn: &str, address: Ipv4Addr, port: u16) -> Option<TargetHealth>;
    /// Whether the target group exists.
    async fn exists(&self, target_group_arn: &str) -> bool;
    /// The target groups that a listener rule (a listener's default rule, too) forwards to, with their weights; none when there
    /// is no such rule.
    async fn forwards(&self, rule_arn: &str) -> Option<Vec<(String, u32)>>;
    /// Makes a listener rule forward to these target groups by these weights, from the next request on.
    async fn shift(&self, rule_arn: &str, weights: &[(String, u32)]) -> Result<(), AwsError>;
}

/// What a deployment asks of CloudWatch while it watches alarms. Must return at once.
pub trait AlarmStates: Send + Sync {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`; none when there is no alarm with this name.
    fn state_of(&self, alarm_name: &str) -> Option<&'static str>;
}

/// Target groups by ARN, each with its share of the requests, 0 to 999.
pub type Weights = Vec<(String, u32)>;

/// What a deployment that shifts traffic asks of Elastic Load Balancing.
#[async_trait]
pub trait Routes: Send + Sync {
    /// The ARN of the target group with this name.
    async fn target_group(&self, name: &str) -> Result<String, AwsError>;
    /// With which weights the listener's rules forward, the default rule first. A rule that does not forward is left out.
    async fn weights(&self, listener_arn: &str) -> Result<Vec<Weights>, AwsError>;
    /// From the next request on, every rule of the listener that forwards to one of these groups forwards to them by these
    /// weights. Answers how many rules that are.
    async fn shift(&self, listener_arn: &str, weights: &[(String, u32)]) -> Result<usize, AwsError>;
}

/// One line of a container, on its way to CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The line without its line feed.
    pub message: String,
}

/// What ECS asks of CloudWatch Logs (the `awslogs` driver).
#[async_trait]
pub trait LogSink: Send + Sync {
    /// Makes the stream; a missing group is an error, as it is for the driver without `awslogs-create-group`.
    async fn create_stream(&self, group: &str, stream: &str) -> Result<(), AwsError>;
    /// Appends lines to a stream.
    async fn append(&self, group: &str, stream: &str, lines: Vec<LogLine>) -> Result<(), AwsError>;
}

/// What ECS asks of Secrets Manager and Parameter Store for a container's `secrets`.
#[async_trait]
pub trait SecretValues: Send + Sync {
    /// The value behind a `valueFrom`: a Secrets Manager ARN (optionally `:json-key:version-stage:version-id`), a parameter ARN
    /// or a parameter name. `reader` must be allowed to read it.
    async fn resolve(&self, value_from: &str, reader: Option<&Session>) -> Result<String, AwsError>;
}

/// A role that somebody has assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The role.
    pub role_arn: String,
    /// Name of the session, which for ECS is the task's id.
    pub name: String,
}

/// What ECS asks of IAM.
pub trait Roles: Send + Sync {
    /// Whether the role is there and trusts ECS's tasks.
    fn assumable(&self, role_arn: &str) -> bool;
    /// Refuses what the session may not do: `AccessDeniedException` as AWS words it.
    ///
    /// # Errors
    /// The denial.
    fn authorize(&self, session: &Session, action: &str, resource: &str) -> Result<(), AwsError>;
}

/// What happened to one metric in one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// `AWS/ApplicationELB`, `AWS/ECS`, or a namespace of the caller's.
    pub namespace: Cow<'static, str>,
    /// `RequestCount`, …
    pub name: Cow<'static, str>,
    /// Name and value of each dimension, in any order.
    pub dimensions: Vec<(Cow<'static, str>, String)>,
    /// Unit as CloudWatch names it: `Count`, `Seconds`, `Percent`, `Bytes`, …, `None`.
    pub unit: &'static str,
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Each value with how often it came, as in `Values` and `Counts` of `PutMetricData`. Never empty, never NaN.
    pub values: Vec<(f64, f64)>,
}

/// What the platform, and CloudWatch Logs for its metric filters, ask of CloudWatch. Must return at once.
pub trait MetricSink: Send + Sync {
    /// Takes values. There is no refusal: a full store drops its oldest.
    fn put(&self, data: Vec<Datum>);
}

/// What CloudWatch asks of those that an alarm's action names by ARN (an SNS topic, an Auto Scaling policy).
#[async_trait]
pub trait AlarmActions: Send + Sync {
    /// Runs the action that this ARN names.
    ///
    /// The error is noted in the alarm's history; the alarm's state does not depend on it.
    async fn run(&self, action_arn: &str, notification: &AlarmNotification) -> Result<(), AwsError>;
}

/// What an alarm tells those that its actions name.
#[derive(Clone, Debug)]
pub struct AlarmNotification {
    /// For people: `ALARM: "name" in US East (N. Virginia)`.
    pub subject: String,
    /// The JSON that SNS subscribers get.
    pub message: String,
    /// JSON of the datapoints that the alarm judged just now, as in `StateReasonData`; none where the state was set without any.
    pub reason_data: Option<String>,
}

/// `StandardUnit` in the CloudWatch API reference.
pub const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// The unit with this name.
pub fn unit_named(name: &str) -> Option<&'static str> {
    UNITS.into_iter().find(|unit| *unit == name)
}
