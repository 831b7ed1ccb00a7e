//! What one evaluation of an alarm costs: as many alarms as five labs have, each on 200 values a second, the last five of five.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::json;
use time::OffsetDateTime;
use twin_cloudwatch::CloudWatch;
use twin_messaging::{Sns, Sqs};
use twin_platform::{Account, Speed};

use super::in_process::call;
use crate::figure::{Goal, Report};

/// Half of them on one metric's percentile, half on an expression over two.
const ALARMS: usize = 100;
const METRICS: i64 = 10;
/// Longer than five periods of a minute and what is looked at beside them.
const SECONDS: i64 = 900;
const ROUNDS: i64 = 9;

pub(super) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let account = Account::in_region("us-east-1");
    let speed = Speed::new(1.0).context("a speed in range")?;
    let endpoint = "http://127.0.0.1:1";
    let queues = Sqs::new(account.clone(), endpoint);
    let cloudwatch = CloudWatch::new(account.clone(), speed, Sns::new(account, speed, endpoint, queues));
    let put = async |action: &str, body| {
        call(cloudwatch.as_ref(), &format!("GraniteServiceVersion20100801.{action}"), body).await
    };
    let now_s = OffsetDateTime::now_utc().unix_timestamp() / 60 * 60;
    for second in now_s - SECONDS..now_s {
        let data: Vec<_> = (0..METRICS)
            .map(|metric| {
                // AWS takes 150 values in one datum.
                let values: Vec<i64> = (0..100).map(|value| (value * 37 + second + metric) % 1009).collect();
                json!({ "MetricName": format!("M{metric}"), "Timestamp": second, "Values": values, "Counts": vec![2; 100] })
            })
            .collect();
        put("PutMetricData", json!({ "Namespace": "Bench", "MetricData": data })).await?;
    }
    for alarm in 0..ALARMS {
        let metric =
            |offset: usize| json!({ "Namespace": "Bench", "MetricName": format!("M{}", (alarm + offset) % 10) });
        let mut body = json!({
            "AlarmName": format!("alarm-{alarm}"), "EvaluationPeriods": 5, "DatapointsToAlarm": 5, "Threshold": 2000,
            "ComparisonOperator": "GreaterThanThreshold",
        });
        let watched = if alarm.is_multiple_of(2) {
            json!({ "Namespace": "Bench", "MetricName": format!("M{}", alarm % 10), "Period": 60, "ExtendedStatistic": "p95" })
        } else {
            let of = |id: &str, offset: usize| {
                let stat = json!({ "Metric": metric(offset), "Period": 60, "Stat": "Sum" });
                json!({ "Id": id, "MetricStat": stat, "ReturnData": false })
            };
            json!({ "Metrics": [of("m1", 0), of("m2", 1), { "Id": "e1", "Expression": "100 * m1 / m2" }] })
        };
        if let (Some(body), Some(watched)) = (body.as_object_mut(), watched.as_object()) {
            body.extend(watched.clone());
        }
        put("PutMetricAlarm", body).await?;
    }
    // The first time it also sorts in what was put.
    cloudwatch.evaluate(now_s * 1000);
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let began = Instant::now();
        let looked = cloudwatch.evaluate((now_s + 60 * round) * 1000);
        let elapsed_ms = began.elapsed().as_secs_f64() * 1000.0;
        ensure!(looked == ALARMS, "{looked} alarms were due in round {round}");
        #[allow(clippy::cast_precision_loss, reason = "a hundred")]
        rounds.push(elapsed_ms / ALARMS as f64);
    }
    report.add(
        "alarm_evaluation",
        "evaluation of one alarm, p95 or expression, 5 of 5 minutes of 200 values a second, ms",
        Goal::AtMost(1.0),
        rounds,
    );
    Ok(())
}
