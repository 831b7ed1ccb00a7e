//! What seeing costs: traffic with traces against traffic without, a question over three hours of metrics, evaluating an alarm,
//! searching a million log lines, taking a span, and the memory of an hour.

mod alarms;
mod hour;
mod in_process;
mod logs;
mod traces;

use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use tests::{Lab, Reply, Traffic};

use crate::{
    figure::{Goal, Report},
    machine::resident_mib,
};

/// Offered to the balancer.
const RATE_PER_S: f64 = 2000.0;
const LENGTH: Duration = Duration::from_secs(8);
const ROUNDS: usize = 3;
/// One value a second.
const THREE_HOURS_S: u64 = 3 * 3600;
/// Values in one call: a query string has room for them.
const BATCH: u64 = 100;
/// Calls of the query protocol need no signature here.
const VERSION: &str = "Version=2010-08-01";

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("metrics, alarms, logs and traces");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(alarms::measure(report))?;
    runtime.block_on(logs::measure(report))?;
    traces::measure(report)?;
    with_and_without(report)?;
    hour::measure(report)
}

fn with_and_without(report: &mut Report) -> anyhow::Result<()> {
    let lab = Lab::up();
    questions(&lab, report)?;
    let with = lab.service()["taskDefinition"].as_str().context("the service has a task definition")?.to_owned();
    // An empty endpoint: golden exports nothing.
    let without = lab.revision_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]);
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let good = [&without, &with].map(|revision| {
            lab.deploy(&["--task-definition", revision]);
            lab.until_deployed();
            let traffic = Traffic::start(lab.name("ALB_URL"), RATE_PER_S, &["/"]);
            std::thread::sleep(LENGTH);
            let summary = traffic.end();
            summary.finished.saturating_sub(summary.failed)
        });
        #[allow(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
        ratios.push(good[1] as f64 / good[0] as f64);
    }
    report.add(
        "sight_throughput",
        "good requests with traces ÷ without, 2000 requests/s offered, metrics always on",
        Goal::AtLeast(0.8),
        ratios,
    );
    let resident = resident_mib(lab.twin_pid()).unwrap_or(f64::NAN);
    report.add(
        "sight_rss",
        "the twin's resident memory after 48 s at 2000 requests/s, MiB",
        Goal::AtMost(250.0),
        vec![resident],
    );
    Ok(())
}

fn questions(lab: &Lab, report: &mut Report) -> anyhow::Result<()> {
    let endpoint = lab.name("AWS_ENDPOINT_URL");
    let call = |query: &str| -> anyhow::Result<Reply> {
        let reply = Reply::get(&format!("{endpoint}/?{VERSION}&{query}"), &[], Duration::from_secs(20))?;
        ensure!(reply.status == 200, "{}: {}", reply.status, reply.body);
        Ok(reply)
    };
    let end = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let start = end - THREE_HOURS_S;
    for first in (start..end).step_by(usize::try_from(BATCH)?) {
        let mut query = String::from("Action=PutMetricData&Namespace=Bench");
        for second in first..(first + BATCH).min(end) {
            let member = format!("MetricData.member.{}", second - first + 1);
            let value = second % 97;
            write!(query, "&{member}.MetricName=M&{member}.Timestamp={second}&{member}.Value={value}")?;
        }
        call(&query)?;
    }
    let metric = "MetricDataQueries.member.1";
    let question = format!(
        "Action=GetMetricData&StartTime={start}&EndTime={end}&{metric}.Id=m&{metric}.MetricStat.Metric.Namespace=Bench\
         &{metric}.MetricStat.Metric.MetricName=M&{metric}.MetricStat.Period=60&{metric}.MetricStat.Stat=p95"
    );
    let mut rounds = Vec::new();
    for _ in 0..9 {
        let began = Instant::now();
        let reply = call(&question)?;
        rounds.push(began.elapsed().as_secs_f64() * 1000.0);
        let points = reply.body.matches("<member>").count();
        ensure!(points > 300, "three hours are 180 minutes, each a time and a value: {points} members");
    }
    report.add(
        "get_metric_data",
        "GetMetricData, p95 by minute over 3 hours of seconds, ms",
        Goal::AtMost(50.0),
        rounds,
    );
    Ok(())
}
