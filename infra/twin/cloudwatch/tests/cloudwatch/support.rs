//! A client of the service in AWS JSON 1.0, and actions that are only noted.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use twin_cloudwatch::CloudWatch;
use twin_platform::{
    Account, AwsError, Request, Response, Service as _, Speed,
    seam::{AlarmActions, AlarmNotification, Datum},
};

/// ARN, subject and message of every action that was run; one with `fail` in its ARN fails.
#[derive(Default)]
pub(crate) struct Noted(Mutex<Vec<(String, String, String)>>);

impl Noted {
    pub(crate) fn all(&self) -> Vec<(String, String, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl AlarmActions for Noted {
    async fn run(&self, action_arn: &str, notification: &AlarmNotification) -> Result<(), AwsError> {
        if action_arn.contains("fail") {
            return Err(AwsError::client("NotFound", "Topic does not exist"));
        }
        let noted = (action_arn.to_owned(), notification.subject.clone(), notification.message.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
        Ok(())
    }
}

pub(crate) struct Client {
    pub(crate) cloudwatch: Arc<CloudWatch>,
    pub(crate) noted: Arc<Noted>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::at_speed(1.0)
    }

    pub(crate) fn at_speed(factor: f64) -> Self {
        let noted = Arc::new(Noted::default());
        let speed = Speed::new(factor).expect("a speed in range");
        Self { cloudwatch: CloudWatch::new(Account::in_region("us-east-1"), speed, noted.clone()), noted }
    }

    pub(crate) async fn send(&self, uri: &str, headers: &[(&'static str, &str)], body: Vec<u8>) -> Response {
        let mut request =
            Request { method: "POST".into(), uri: uri.into(), headers: Default::default(), body: body.into() };
        for (name, value) in headers {
            request.headers.insert(*name, value.parse().expect("a header value"));
        }
        self.cloudwatch.handle(request).await
    }

    pub(crate) async fn call(&self, action: &str, body: Value) -> (u16, Value) {
        let target = format!("GraniteServiceVersion20100801.{action}");
        let response = self.send("/", &[("x-amz-target", &target)], body.to_string().into_bytes()).await;
        (response.status, serde_json::from_slice(&response.body).expect("JSON"))
    }

    pub(crate) async fn ok(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self.call(action, body).await;
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    /// Code and message of an error.
    pub(crate) async fn refused(&self, action: &str, body: Value) -> (String, String) {
        let (status, answer) = self.call(action, body.clone()).await;
        assert!(status >= 400, "{action} {body}: {answer}");
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        (text("__type").trim_start_matches("com.amazonaws.cloudwatch#").to_owned(), text("message"))
    }

    /// Puts values of the metric `Lab/<name>` at a second.
    pub(crate) async fn put(&self, name: &str, at_s: i64, values: &[f64]) {
        let datum = json!({ "MetricName": name, "Timestamp": at_s, "Values": values, "Unit": "Count" });
        self.ok("PutMetricData", json!({ "Namespace": "Lab", "MetricData": [datum] })).await;
    }

    pub(crate) async fn alarm(&self, name: &str) -> Value {
        let answer = self
            .ok("DescribeAlarms", json!({ "AlarmNames": [name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"] }))
            .await;
        let alarms = [&answer["MetricAlarms"], &answer["CompositeAlarms"]];
        alarms.into_iter().flat_map(|list| list.as_array().cloned().unwrap_or_default()).next().unwrap_or_default()
    }

    /// Evaluates as if it were `at_s`, and runs the actions.
    pub(crate) async fn evaluate(&self, at_s: i64) -> usize {
        let looked = self.cloudwatch.evaluate(at_s * 1000);
        self.cloudwatch.run_actions().await;
        looked
    }
}

/// The start of the present minute, in seconds since the epoch.
pub(crate) fn this_minute() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp() / 60 * 60
}

/// What the platform puts.
pub(crate) fn datum(name: &'static str, at_s: i64, values: Vec<(f64, f64)>) -> Datum {
    Datum {
        namespace: "AWS/ApplicationELB".into(),
        name: name.into(),
        dimensions: vec![("LoadBalancer".into(), "app/golden/1".to_owned())],
        unit: "Seconds",
        timestamp_ms: at_s * 1000,
        values,
    }
}

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:oncall";

/// A metric alarm on `Lab/errors`, with changes.
pub(crate) fn settings(name: &str, change: Value) -> Value {
    let mut body = json!({
        "AlarmName": name, "Namespace": "Lab", "MetricName": "errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [TOPIC], "OKActions": [TOPIC],
    });
    for (key, value) in change.as_object().expect("members") {
        body[key] = value.clone();
    }
    body
}

/// An alarm's state; empty when there is no such alarm.
pub(crate) async fn state(client: &Client, name: &str) -> String {
    client.alarm(name).await["StateValue"].as_str().unwrap_or_default().to_owned()
}
