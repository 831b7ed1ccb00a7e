//! The lab's alarms: a table, and the calls that create what it says.
//!
//! The first seven are those of the resilience lab's list (5xx above 1 % for five minutes, p95 response time, tasks that are
//! missing, the database's connections, storage and CPU, the queue's depth); the others catch what those miss, so that every
//! failure mode with a symptom on the platform's side has one. `corrupt_body` has none: only a client sees it.

use anyhow::Result;
use aws_config::SdkConfig;
use aws_sdk_cloudwatch::{
    Client,
    types::{ComparisonOperator, Dimension, Metric, MetricDataQuery, MetricStat, Tag},
};
use contract::{
    failure::ModeName,
    names::{firewall, resource},
};

use super::{Dimensions, problem};

/// Seconds of every alarm's period.
const PERIOD_S: i32 = 60;

/// One alarm.
struct Alarm {
    name: &'static str,
    /// What it says to the person that it wakes. It names the symptom, never the mode.
    description: &'static str,
    watches: Watches,
    above: f64,
    /// M of N periods.
    of: (i32, i32),
    /// `missing`, `notBreaching`, `breaching`, `ignore`.
    missing: &'static str,
    modes: &'static [ModeName],
}

/// What is compared.
enum Watches {
    One(Series),
    /// An expression over series by their ids.
    Math(&'static str, &'static [(&'static str, Series)]),
}

/// One metric with its statistic.
#[derive(Clone, Copy)]
struct Series {
    namespace: &'static str,
    metric: &'static str,
    of: Of,
    statistic: &'static str,
}

/// Whose metric it is.
#[derive(Clone, Copy)]
enum Of {
    Balancer,
    TargetGroup,
    /// The second one, where deployments are blue/green.
    GreenTargetGroup,
    Service,
    Database,
    Queue,
    Log,
    Firewall,
}

const fn series(namespace: &'static str, metric: &'static str, of: Of, statistic: &'static str) -> Series {
    Series { namespace, metric, of, statistic }
}

const fn alb(metric: &'static str, statistic: &'static str) -> Series {
    series("AWS/ApplicationELB", metric, Of::Balancer, statistic)
}

const fn rds(metric: &'static str, statistic: &'static str) -> Series {
    series("AWS/RDS", metric, Of::Database, statistic)
}

const fn waf(metric: &'static str) -> Series {
    series("AWS/WAFV2", metric, Of::Firewall, "Sum")
}

const fn insights(metric: &'static str, statistic: &'static str) -> Series {
    series("ECS/ContainerInsights", metric, Of::Service, statistic)
}

const fn log(metric: &'static str) -> Series {
    series(resource::METRIC_NAMESPACE, metric, Of::Log, "Sum")
}

const ALARMS: &[Alarm] = &[
    Alarm {
        name: "golden-5xx-rate",
        description: "More than 1 % of the requests end with a 5xx.",
        watches: Watches::Math(
            "100 * (FILL(target, 0) + FILL(elb, 0)) / (FILL(requests, 0) + FILL(elb, 0))",
            &[
                ("target", alb("HTTPCode_Target_5XX_Count", "Sum")),
                ("elb", alb("HTTPCode_ELB_5XX_Count", "Sum")),
                ("requests", alb("RequestCount", "Sum")),
            ],
        ),
        above: 1.0,
        of: (5, 5),
        missing: "notBreaching",
        modes: &[ModeName::Return500],
    },
    Alarm {
        name: "golden-latency-p95",
        description: "One request in twenty takes longer than 400 ms.",
        watches: Watches::One(alb("TargetResponseTime", "p95")),
        above: 0.4,
        of: (2, 3),
        missing: "notBreaching",
        modes: &[ModeName::Latency, ModeName::SlowQuery, ModeName::LockContention, ModeName::BlockedRuntime],
    },
    Alarm {
        name: "golden-tasks-missing",
        description: "Fewer tasks run than are desired.",
        watches: Watches::Math(
            "desired - running",
            &[
                ("desired", insights("DesiredTaskCount", "Maximum")),
                ("running", insights("RunningTaskCount", "Minimum")),
            ],
        ),
        above: 0.0,
        of: (1, 2),
        missing: "missing",
        modes: &[ModeName::Crash, ModeName::Unhealthy],
    },
    Alarm {
        name: "golden-db-connections",
        description: "Three quarters of the database's sessions are taken.",
        watches: Watches::One(rds("DatabaseConnections", "Maximum")),
        above: 14.0,
        of: (1, 1),
        missing: "notBreaching",
        modes: &[ModeName::ConnectionLeak],
    },
    Alarm {
        name: "golden-db-storage",
        description: "The database's disk has less than 1 GiB left.",
        watches: Watches::Math("1073741824 - free", &[("free", rds("FreeStorageSpace", "Minimum"))]),
        above: 0.0,
        of: (1, 1),
        missing: "notBreaching",
        modes: &[],
    },
    Alarm {
        name: "golden-db-cpu",
        description: "The database's CPU is nearly used up.",
        watches: Watches::One(rds("CPUUtilization", "Average")),
        above: 80.0,
        of: (3, 3),
        missing: "notBreaching",
        modes: &[],
    },
    Alarm {
        name: "golden-queue-depth",
        description: "Nobody takes messages off the queue.",
        watches: Watches::One(series("AWS/SQS", "ApproximateNumberOfMessagesVisible", Of::Queue, "Maximum")),
        above: 100.0,
        of: (3, 3),
        missing: "notBreaching",
        modes: &[],
    },
    Alarm {
        name: "golden-unhealthy-targets",
        description: "The balancer finds targets unhealthy.",
        watches: Watches::One(series("AWS/ApplicationELB", "UnHealthyHostCount", Of::TargetGroup, "Maximum")),
        above: 0.0,
        of: (1, 1),
        missing: "notBreaching",
        modes: &[ModeName::Unhealthy, ModeName::Return500],
    },
    Alarm {
        name: "golden-gateway-timeouts",
        description: "Targets do not answer before the balancer gives up.",
        watches: Watches::One(alb("HTTPCode_ELB_504_Count", "Sum")),
        above: 0.0,
        of: (1, 1),
        missing: "notBreaching",
        modes: &[ModeName::Hang],
    },
    Alarm {
        name: "golden-db-authentication",
        description: "The database refuses the application's credentials.",
        watches: Watches::One(log("DatabaseAuthenticationFailures")),
        above: 0.0,
        of: (1, 1),
        missing: "notBreaching",
        modes: &[ModeName::StaleCredentials],
    },
    Alarm {
        name: "golden-dependency-errors",
        description: "The application does not reach something that it depends on.",
        watches: Watches::One(log("DependencyErrors")),
        // A busy moment cuts off a handful of calls once. A dependency that is gone costs a line for every request that needs it,
        // and a line every five seconds of each task where it is the parameter store, which no request waits for.
        above: 0.0,
        of: (2, 3),
        missing: "notBreaching",
        modes: &[ModeName::DependencyDown],
    },
    Alarm {
        name: "golden-task-cpu",
        description: "A task uses nearly all the CPU that it is given.",
        watches: Watches::One(series("AWS/ECS", "CPUUtilization", Of::Service, "Maximum")),
        above: 80.0,
        of: (2, 3),
        missing: "notBreaching",
        modes: &[ModeName::CpuBurn],
    },
    Alarm {
        name: "golden-task-memory",
        description: "A task uses most of the memory that it is given.",
        watches: Watches::One(series("AWS/ECS", "MemoryUtilization", Of::Service, "Maximum")),
        above: 60.0,
        of: (1, 1),
        missing: "notBreaching",
        modes: &[ModeName::MemoryLeak],
    },
    Alarm {
        name: "golden-firewall-blocks",
        description: "The firewall blocks more than one request in a hundred.",
        watches: Watches::Math(
            "100 * blocked / (blocked + FILL(allowed, 0))",
            &[("blocked", waf("BlockedRequests")), ("allowed", waf("AllowedRequests"))],
        ),
        above: 1.0,
        of: (2, 3),
        missing: "notBreaching",
        modes: &[],
    },
    Alarm {
        name: "golden-task-storage",
        description: "The tasks fill their scratch directories.",
        watches: Watches::One(insights("EphemeralStorageUtilized", "Maximum")),
        above: 0.2,
        of: (1, 1),
        missing: "notBreaching",
        modes: &[ModeName::DiskFill],
    },
];

/// What a person is woken for: the service does not do its work.
const COMPOSITE: &str = "golden-service-unhealthy";
const COMPOSITE_RULE: &str = "ALARM(\"golden-5xx-rate\") OR ALARM(\"golden-unhealthy-targets\") OR ALARM(\"golden-gateway-timeouts\") OR ALARM(\"golden-tasks-missing\")";

/// An alarm, for those who ask what it is good for.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// Modes that it catches.
    pub(crate) modes: &'static [ModeName],
    /// Namespace and name of each metric that it watches.
    pub(crate) metrics: Vec<(&'static str, &'static str)>,
}

/// Every alarm, and the composite at the end.
pub(crate) fn known() -> Vec<Known> {
    let known = |alarm: &Alarm| {
        let series: Vec<Series> = match &alarm.watches {
            Watches::One(series) => vec![*series],
            Watches::Math(_, series) => series.iter().map(|(_, series)| *series).collect(),
        };
        let metrics = series.iter().map(|series| (series.namespace, series.metric)).collect();
        Known { name: alarm.name, modes: alarm.modes, metrics }
    };
    let composite = Known { name: COMPOSITE, modes: &[], metrics: Vec::new() };
    ALARMS.iter().map(known).chain([composite]).collect()
}

/// Creates the alarms; one that is there is brought to what the table says.
pub(super) async fn create(config: &SdkConfig, dimensions: &Dimensions, topic_arn: &str) -> Result<()> {
    let cloudwatch = Client::new(config);
    let puts = ALARMS.iter().map(|alarm| put(&cloudwatch, alarm, dimensions, topic_arn));
    futures_util::future::try_join_all(puts).await?;
    let composite = cloudwatch
        .put_composite_alarm()
        .alarm_name(COMPOSITE)
        .alarm_description("The service does not do its work.")
        .alarm_rule(COMPOSITE_RULE)
        .alarm_actions(topic_arn)
        .ok_actions(topic_arn);
    composite.send().await.map_err(|error| problem::aws("creating the composite alarm", error))?;
    Ok(())
}

async fn put(cloudwatch: &Client, alarm: &Alarm, dimensions: &Dimensions, topic_arn: &str) -> Result<()> {
    let modes = alarm.modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(" ");
    let (needed, of) = alarm.of;
    let put = cloudwatch
        .put_metric_alarm()
        .alarm_name(alarm.name)
        .alarm_description(alarm.description)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .threshold(alarm.above)
        .datapoints_to_alarm(needed)
        .evaluation_periods(of)
        .treat_missing_data(alarm.missing)
        .alarm_actions(topic_arn)
        .ok_actions(topic_arn)
        .tags(Tag::builder().key(resource::MODES_TAG).value(modes).build());
    let put = match &alarm.watches {
        // Blue/green, the service is behind either group.
        Watches::One(series) if matches!(series.of, Of::TargetGroup) && dimensions.green_target_group.is_some() => {
            let green = Series { of: Of::GreenTargetGroup, ..*series };
            let result =
                MetricDataQuery::builder().id("result").expression("FILL(blue, 0) + FILL(green, 0)").period(PERIOD_S);
            let queries = [series.query("blue", dimensions), green.query("green", dimensions)];
            put.set_metrics(Some(queries.into_iter().chain([result.return_data(true).build()]).collect()))
        }
        Watches::One(series) => {
            let put = put
                .namespace(series.namespace)
                .metric_name(series.metric)
                .set_dimensions(Some(series.of.dimensions(dimensions)))
                .period(PERIOD_S);
            match series.statistic.strip_prefix('p') {
                Some(_) => put.extended_statistic(series.statistic),
                None => put.statistic(series.statistic.into()),
            }
        }
        Watches::Math(expression, series) => {
            let result = MetricDataQuery::builder().id("result").expression(*expression).period(PERIOD_S);
            let queries = series.iter().map(|(id, series)| series.query(id, dimensions));
            put.set_metrics(Some(queries.chain([result.return_data(true).build()]).collect()))
        }
    };
    put.send().await.map_err(|error| problem::aws("creating an alarm", error))?;
    Ok(())
}

impl Series {
    fn query(self, id: &str, dimensions: &Dimensions) -> MetricDataQuery {
        let metric = Metric::builder()
            .namespace(self.namespace)
            .metric_name(self.metric)
            .set_dimensions(Some(self.of.dimensions(dimensions)));
        let stat = MetricStat::builder().metric(metric.build()).period(PERIOD_S).stat(self.statistic);
        MetricDataQuery::builder().id(id).metric_stat(stat.build()).return_data(false).build()
    }
}

impl Of {
    fn dimensions(self, known: &Dimensions) -> Vec<Dimension> {
        let pairs = match self {
            Self::Balancer => vec![("LoadBalancer", known.load_balancer.as_str())],
            Self::TargetGroup => {
                vec![("TargetGroup", known.target_group.as_str()), ("LoadBalancer", known.load_balancer.as_str())]
            }
            Self::GreenTargetGroup => vec![
                ("TargetGroup", known.green_target_group.as_deref().unwrap_or_default()),
                ("LoadBalancer", known.load_balancer.as_str()),
            ],
            Self::Service => vec![("ClusterName", resource::CLUSTER), ("ServiceName", resource::SERVICE)],
            Self::Database => vec![("DBInstanceIdentifier", resource::DB_INSTANCE)],
            Self::Queue => vec![("QueueName", resource::ALARM_QUEUE)],
            Self::Log => Vec::new(),
            Self::Firewall => {
                let region = known.region.as_str();
                vec![("Region", region), ("WebACL", firewall::WEB_ACL), ("Rule", "ALL")]
            }
        };
        pairs.into_iter().map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_that_the_platform_can_see_has_an_alarm_and_none_is_named() {
        for mode in ModeName::ALL.into_iter().filter(|mode| *mode != ModeName::CorruptBody) {
            assert!(ALARMS.iter().any(|alarm| alarm.modes.contains(&mode)), "{}", mode.as_str());
            // `latency` and `unhealthy` are the symptoms' own words.
            let tells = |text: &str| mode.as_str().contains('_') && text.contains(mode.as_str());
            assert!(!ALARMS.iter().any(|alarm| tells(alarm.name) || tells(alarm.description)), "{}", mode.as_str());
        }
    }

    #[test]
    fn the_composite_names_alarms_that_exist() {
        let named: Vec<&str> = COMPOSITE_RULE.split('"').skip(1).step_by(2).collect();
        assert!(
            named.len() > 1 && named.iter().all(|name| ALARMS.iter().any(|alarm| alarm.name == *name)),
            "{named:?}"
        );
    }
}
