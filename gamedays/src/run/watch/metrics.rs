//! Quantities that only CloudWatch has, or the service's own answers.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use contract::names::resource;
use time::{Duration, OffsetDateTime};

use super::alarms::IntoSdk as _;
use crate::{
    Lab,
    scenario::{Quantity, TrafficProfile},
};

/// How far back the latest point may lie: the metrics of AWS are a minute apart and a minute late.
const BACK: Duration = Duration::minutes(3);

/// The latest point of each; one that is not there is left out.
pub(super) async fn look(lab: &Lab, quantities: &[Quantity]) -> BTreeMap<Quantity, f64> {
    let mut found = BTreeMap::new();
    for quantity in quantities {
        let value = match quantity {
            Quantity::UnhealthyDependencies => unhealthy_dependencies(lab).await,
            Quantity::UnreadableAnswers => unreadable_answers(lab).await,
            other => latest(lab, *other).await,
        };
        if let Some(value) = value {
            found.insert(*quantity, value);
        }
    }
    found
}

async fn latest(lab: &Lab, quantity: Quantity) -> Option<f64> {
    let service = [("ClusterName", lab.names.cluster.as_str()), ("ServiceName", lab.names.service.as_str())];
    let (namespace, metric, dimensions) = match quantity {
        Quantity::DatabaseSessions => {
            ("AWS/RDS", "DatabaseConnections", vec![("DBInstanceIdentifier", resource::DB_INSTANCE)])
        }
        Quantity::TaskCpuPercent => ("AWS/ECS", "CPUUtilization", service.to_vec()),
        Quantity::TaskMemoryPercent => ("AWS/ECS", "MemoryUtilization", service.to_vec()),
        _ => return None,
    };
    let dimensions = dimensions.into_iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let now = OffsetDateTime::now_utc();
    let statistics = lab
        .cloudwatch
        .get_metric_statistics()
        .namespace(namespace)
        .metric_name(metric)
        .set_dimensions(Some(dimensions.collect()))
        .start_time((now - BACK).into_sdk())
        .end_time((now + Duration::seconds(1)).into_sdk())
        // The finest there is: AWS answers a metric of a minute by the minute.
        .period(1)
        .statistics(Statistic::Maximum);
    let points = statistics.send().await.ok()?;
    let last = points.datapoints().iter().max_by_key(|point| point.timestamp().map(|at| at.as_nanos()))?;
    last.maximum()
}

async fn unhealthy_dependencies(lab: &Lab) -> Option<f64> {
    let count =
        "body=$(curl -s -m 5 \"$ALB_URL/health\"); { grep -o '\":\"unhealthy\"' <<< \"$body\" || true; } | wc -l";
    lab.command(count, []).await.ok()?.parse().ok()
}

/// Asks each route once. One that does not answer at all is the load's matter.
async fn unreadable_answers(lab: &Lab) -> Option<f64> {
    let mut unreadable = 0_u32;
    for path in TrafficProfile::default().paths {
        let ask = "curl -s -m 5 \"$ALB_URL$ROUTE\"";
        let Ok(body) = lab.command(ask, [("ROUTE".to_owned(), path)]).await else { continue };
        unreadable += u32::from(serde_json::from_str::<serde::de::IgnoredAny>(&body).is_err());
    }
    Some(f64::from(unreadable))
}
