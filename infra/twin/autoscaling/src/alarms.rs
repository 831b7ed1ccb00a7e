//! The alarms of target tracking, as AWS makes them: three minutes above the target for scale-out, fifteen below nine tenths of it
//! for scale-in.

use serde_json::{Value, json};
use twin_platform::{AwsError, Speed};

use crate::{
    AutoScaling,
    policy::{Predefined, TargetTracking, Tracking},
    target::Place,
};

/// One-minute datapoints that raise the alarm for scale-out, and for scale-in.
const PERIODS_OUT: u32 = 3;
const PERIODS_IN: u32 = 15;
/// Scale-in begins below this share of the target, so that a metric near the target changes nothing.
const SCALE_IN_SHARE: f64 = 0.9;

impl AutoScaling {
    /// Makes the policy's alarms, or brings those that it has to new settings. When one cannot be made, none that was new is left.
    pub(crate) async fn put_alarms(
        &self,
        place: &Place,
        policy_arn: &str,
        settings: &TargetTracking,
        known: Option<&Tracking>,
    ) -> Result<Tracking, AwsError> {
        let name = |side: &str| format!("TargetTracking-{place}-{side}-{}", uuid::Uuid::new_v4());
        let high = known.map_or_else(|| name("AlarmHigh"), |known| known.high.clone());
        let known_low = known.and_then(|known| known.low.clone());
        let low = settings.scales_in().then(|| known_low.clone().unwrap_or_else(|| name("AlarmLow")));
        let metric = metric(place, settings);
        let above = body(&high, policy_arn, &metric, "GreaterThanThreshold", settings.target_value, PERIODS_OUT);
        self.ask_cloudwatch("PutMetricAlarm", &above).await?;
        if let Some(low) = &low {
            let threshold = settings.target_value * SCALE_IN_SHARE;
            let below = body(low, policy_arn, &metric, "LessThanThreshold", threshold, PERIODS_IN);
            if let Err(error) = self.ask_cloudwatch("PutMetricAlarm", &below).await {
                if known.is_none() {
                    self.delete_alarms([high.as_str()]).await?;
                }
                return Err(error);
            }
        }
        if low.is_none()
            && let Some(needless) = known_low
        {
            self.delete_alarms([needless.as_str()]).await?;
        }
        Ok(Tracking { settings: settings.clone(), high, low, wanted_in: None })
    }

    /// Names that do not exist are passed over.
    pub(crate) async fn delete_alarms(&self, names: impl IntoIterator<Item = &str>) -> Result<(), AwsError> {
        let names: Vec<&str> = names.into_iter().collect();
        self.ask_cloudwatch("DeleteAlarms", &json!({ "AlarmNames": names })).await.map(drop)
    }

    /// Name and state of each metric alarm whose actions name the policy.
    pub(crate) async fn alarms_of(&self, policy_arn: &str) -> Result<Vec<(String, String)>, AwsError> {
        let described = self.ask_cloudwatch("DescribeAlarms", &json!({ "ActionPrefix": policy_arn })).await?;
        let text = |alarm: &Value, member: &str| alarm[member].as_str().unwrap_or_default().to_owned();
        let names_it = |alarm: &&Value| {
            ["AlarmActions", "OKActions", "InsufficientDataActions"]
                .iter()
                .any(|list| alarm[*list].as_array().is_some_and(|arns| arns.iter().any(|arn| arn == policy_arn)))
        };
        let alarms = described["MetricAlarms"].as_array().into_iter().flatten().filter(names_it);
        Ok(alarms.map(|alarm| (text(alarm, "AlarmName"), text(alarm, "StateValue"))).collect())
    }
}

/// Namespace, name, dimensions and statistic, as PutMetricAlarm takes them.
fn metric(place: &Place, settings: &TargetTracking) -> Value {
    if let Some(custom) = &settings.customized_metric_specification {
        let mut metric = json!({
            "Namespace": custom.namespace,
            "MetricName": custom.metric_name,
            "Dimensions": custom.dimensions,
            "Statistic": custom.statistic,
        });
        if let Some(unit) = &custom.unit {
            metric["Unit"] = unit.as_str().into();
        }
        return metric;
    }
    let predefined = settings.predefined_metric_specification.as_ref();
    match predefined.and_then(label) {
        Some((balancer, group)) => json!({
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCountPerTarget",
            "Dimensions": [{ "Name": "LoadBalancer", "Value": balancer }, { "Name": "TargetGroup", "Value": group }],
            "Statistic": "Sum",
        }),
        None => {
            let kind = predefined.map(|predefined| predefined.predefined_metric_type.as_str());
            let memory = kind == Some("ECSServiceAverageMemoryUtilization");
            json!({
                "Namespace": "AWS/ECS",
                "MetricName": if memory { "MemoryUtilization" } else { "CPUUtilization" },
                "Dimensions": [
                    { "Name": "ClusterName", "Value": place.cluster },
                    { "Name": "ServiceName", "Value": place.service },
                ],
                "Statistic": "Average",
            })
        }
    }
}

/// `app/<name>/<id>` and `targetgroup/<name>/<id>` of a resource label.
pub(crate) fn label(predefined: &Predefined) -> Option<(&str, &str)> {
    let label = predefined.resource_label.as_deref()?;
    let (balancer, group) = label.split_at(label.find("/targetgroup/")?);
    let group = &group[1..];
    let three =
        |text: &str| text.split('/').filter(|part| !part.is_empty()).count() == 3 && text.matches('/').count() == 2;
    (balancer.starts_with("app/") && three(balancer) && three(group)).then_some((balancer, group))
}

fn body(name: &str, policy_arn: &str, metric: &Value, comparison: &str, threshold: f64, periods: u32) -> Value {
    let mut body = metric.clone();
    for (member, value) in [
        ("AlarmName", json!(name)),
        ("AlarmDescription", json!(format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy_arn}."))),
        ("AlarmActions", json!([policy_arn])),
        ("ComparisonOperator", json!(comparison)),
        ("Threshold", json!(threshold)),
        ("EvaluationPeriods", json!(periods)),
        ("Period", json!(60)),
    ] {
        body[member] = value;
    }
    body
}

/// Milliseconds that a cooldown of so many seconds lasts here.
pub(crate) fn cooldown_ms(seconds: i64, speed: Speed) -> i64 {
    #[allow(clippy::cast_precision_loss, reason = "a cooldown is far below 2^52 seconds")]
    let wait = speed.wait(seconds as f64);
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_label_names_balancer_and_target_group() {
        let named = |text: &str| {
            let predefined =
                Predefined { predefined_metric_type: String::new(), resource_label: Some(text.to_owned()) };
            label(&predefined).map(|(balancer, group)| (balancer.to_owned(), group.to_owned()))
        };
        let both = named("app/golden/1a/targetgroup/golden/2b").expect("a good label");
        assert_eq!(both, ("app/golden/1a".to_owned(), "targetgroup/golden/2b".to_owned()));
        for wrong in ["", "app/golden/1a", "net/golden/1a/targetgroup/golden/2b", "app/golden/targetgroup/golden/2b"] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }
}
