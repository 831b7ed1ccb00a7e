//! The dashboards: balancer, tasks, database, and one with the targets side by side.

use anyhow::Result;
use aws_config::SdkConfig;
use contract::names::{firewall, resource};
use serde_json::{Value, json};

use super::{Dimensions, problem};

/// Seconds of a point on a graph.
const PERIOD_S: u32 = 60;
/// Of 24 columns.
const WIDTH: u32 = 12;
const HEIGHT: u32 = 6;

/// Creates the dashboards; one that is there is brought to what stands here.
pub(super) async fn create(config: &SdkConfig, dimensions: &Dimensions) -> Result<()> {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
    let region = config.region().map_or("", |region| region.as_ref());
    for (name, graphs) in dashboards(dimensions) {
        let body = body(&graphs, region).to_string();
        let put = cloudwatch.put_dashboard().dashboard_name(name).dashboard_body(body);
        put.send().await.map_err(|error| problem::aws("creating a dashboard", error))?;
    }
    Ok(())
}

/// Title, and metrics as CloudWatch's dashboard body has them.
type Graph = (&'static str, Vec<Value>);

/// Namespace and name of every metric that a graph shows.
pub(crate) fn graphed() -> Vec<(String, String)> {
    let nobody = Dimensions::default();
    let metrics = dashboards(&nobody).into_iter().flat_map(|(_, graphs)| graphs).flat_map(|(_, metrics)| metrics);
    let words = |metric: Value| Some((metric[0].as_str()?.to_owned(), metric[1].as_str()?.to_owned()));
    metrics.filter_map(words).collect()
}

fn dashboards(Dimensions { load_balancer, target_group, region, .. }: &Dimensions) -> [(&'static str, Vec<Graph>); 5] {
    let alb =
        |metric: &str, stat: &str| json!(["AWS/ApplicationELB", metric, "LoadBalancer", load_balancer, {"stat": stat}]);
    let group = |metric: &str, stat: &str| json!(["AWS/ApplicationELB", metric, "TargetGroup", target_group, "LoadBalancer", load_balancer, {"stat": stat}]);
    let service = |namespace: &str, metric: &str, stat: &str| {
        let (cluster, service) = (resource::CLUSTER, resource::SERVICE);
        json!([namespace, metric, "ClusterName", cluster, "ServiceName", service, {"stat": stat}])
    };
    let rds = |metric: &str, stat: &str| json!(["AWS/RDS", metric, "DBInstanceIdentifier", resource::DB_INSTANCE, {"stat": stat}]);
    let insights = "ECS/ContainerInsights";
    let rule = |metric: &str, rule: &str| json!(["AWS/WAFV2", metric, "Region", region, "WebACL", firewall::WEB_ACL, "Rule", rule, {"stat": "Sum"}]);
    let rules = || firewall::MANAGED_GROUPS.into_iter().chain([firewall::RATE_RULE]);
    let log = |metric: &str| json!([resource::METRIC_NAMESPACE, metric, {"stat": "Sum"}]);
    [
        (
            "golden-balancer",
            vec![
                ("Requests", vec![alb("RequestCount", "Sum")]),
                (
                    "Errors",
                    vec![
                        alb("HTTPCode_Target_4XX_Count", "Sum"),
                        alb("HTTPCode_Target_5XX_Count", "Sum"),
                        alb("HTTPCode_ELB_4XX_Count", "Sum"),
                        alb("HTTPCode_ELB_5XX_Count", "Sum"),
                        alb("HTTPCode_ELB_504_Count", "Sum"),
                    ],
                ),
                (
                    "Response time",
                    vec![
                        alb("TargetResponseTime", "p50"),
                        alb("TargetResponseTime", "p95"),
                        alb("TargetResponseTime", "p99"),
                    ],
                ),
                ("Connections", vec![alb("ActiveConnectionCount", "Sum"), alb("NewConnectionCount", "Sum")]),
            ],
        ),
        (
            "golden-tasks",
            vec![
                (
                    "Tasks",
                    vec![
                        service(insights, "DesiredTaskCount", "Maximum"),
                        service(insights, "RunningTaskCount", "Minimum"),
                        service(insights, "PendingTaskCount", "Maximum"),
                    ],
                ),
                (
                    "CPU",
                    vec![
                        service("AWS/ECS", "CPUUtilization", "Average"),
                        service("AWS/ECS", "CPUUtilization", "Maximum"),
                    ],
                ),
                (
                    "Memory",
                    vec![
                        service("AWS/ECS", "MemoryUtilization", "Average"),
                        service("AWS/ECS", "MemoryUtilization", "Maximum"),
                    ],
                ),
                ("Scratch", vec![service(insights, "EphemeralStorageUtilized", "Maximum")]),
                ("Errors in the log", vec![log("ServerErrors"), log("DependencyErrors")]),
            ],
        ),
        (
            "golden-database",
            vec![
                ("Connections", vec![rds("DatabaseConnections", "Maximum")]),
                ("CPU", vec![rds("CPUUtilization", "Average")]),
                ("Free storage", vec![rds("FreeStorageSpace", "Minimum")]),
                ("Log-ins refused", vec![log("DatabaseAuthenticationFailures")]),
                ("Latency", vec![rds("ReadLatency", "Average"), rds("WriteLatency", "Average")]),
            ],
        ),
        (
            "golden-firewall",
            vec![
                ("Requests", vec![rule("AllowedRequests", "ALL"), rule("BlockedRequests", "ALL")]),
                ("Counted by rule", rules().map(|name| rule("CountedRequests", name)).collect()),
                ("Blocked by rule", rules().map(|name| rule("BlockedRequests", name)).collect()),
            ],
        ),
        (
            "golden-targets",
            vec![
                ("Health", vec![group("HealthyHostCount", "Minimum"), group("UnHealthyHostCount", "Maximum")]),
                ("Requests per target", vec![group("RequestCountPerTarget", "Sum")]),
                ("Response time", vec![group("TargetResponseTime", "p95")]),
                (
                    "What targets answer",
                    vec![
                        group("HTTPCode_Target_2XX_Count", "Sum"),
                        group("HTTPCode_Target_5XX_Count", "Sum"),
                        group("TargetConnectionErrorCount", "Sum"),
                    ],
                ),
            ],
        ),
    ]
}

fn body(graphs: &[Graph], region: &str) -> Value {
    let widgets = graphs.iter().zip(0..).map(|((title, metrics), index): (_, u32)| {
        json!({
            "type": "metric", "x": index % 2 * WIDTH, "y": index / 2 * HEIGHT, "width": WIDTH, "height": HEIGHT,
            "properties": {
                "title": title, "view": "timeSeries", "region": region, "period": PERIOD_S, "metrics": metrics,
            },
        })
    });
    json!({ "widgets": widgets.collect::<Vec<_>>() })
}
