//! The twin's memory in an hour of drill at 200 requests/s, in six minutes.
//!
//! What grows with requests – log lines, traces, access-log lines and objects – sees all 720 000 of them, ten times as fast. What grows
//! with time, the metrics, lacks 54 minutes of seconds: these are put by PutMetricData, as many series as the platform then has, in
//! every second of the hour before, the response times with 150 distinct values each. AWS's own namespaces take no values from
//! outside, so they lie in a namespace beside. Nothing else in the twin is kept for each second.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::ensure;
use load::{Profile, Target};
use tests::{Lab, Reply};
use tokio::runtime::Runtime;

use super::VERSION;
use crate::{
    figure::{Goal, Report},
    machine::resident_mib,
};

const REQUESTS: u64 = 720_000;
const RATE_PER_S: f64 = 2000.0;
/// Seconds of an hour that the requests do not take.
const EARLIER_S: u64 = 3600 - 360;
/// Values of one call; a query string has room for them.
const BATCH: u64 = 100;
/// Most values that PutMetricData takes in one datum.
const DISTINCT: u64 = 150;

pub(super) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let lab = Lab::up();
    let runtime = Runtime::new()?;
    let profile = |count| {
        let profile = Profile::new(lab.name("ALB_URL"), RATE_PER_S).target(Target::get("/").weight(9));
        profile.target(Target::get("/db")).counting(count)
    };
    // So that every series is there before it is counted.
    runtime.block_on(load::run(profile(5000)))?;
    put_earlier(&lab)?;
    let mut most = resident_mib(lab.twin_pid()).unwrap_or(f64::NAN);
    eprintln!("  the twin before the hour: {most:.0} MiB");
    let run = runtime.block_on(async { load::start(profile(REQUESTS)) })?;
    let summary = runtime.block_on(async {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        let mut end = std::pin::pin!(run.finish());
        loop {
            tokio::select! {
                summary = &mut end => break summary,
                _ = seconds.tick() => most = most.max(resident_mib(lab.twin_pid()).unwrap_or(f64::NAN)),
            }
        }
    });
    let what = format!(
        "the twin's most resident memory in an hour of drill at 200 requests/s ({} sent, {} good), MiB",
        summary.finished,
        summary.finished.saturating_sub(summary.failed)
    );
    report.add("sight_hour_rss", &what, Goal::AtMost(250.0), vec![most]);
    Ok(())
}

/// The seconds that the hour had before.
fn put_earlier(lab: &Lab) -> anyhow::Result<()> {
    let endpoint = lab.name("AWS_ENDPOINT_URL");
    let call = |query: &str| -> anyhow::Result<Reply> {
        let reply = Reply::get(&format!("{endpoint}/?{VERSION}&{query}"), &[], Duration::from_secs(20))?;
        ensure!(reply.status == 200, "{}: {}", reply.status, reply.body);
        Ok(reply)
    };
    let listed = call("Action=ListMetrics")?.body;
    ensure!(!listed.contains("<NextToken>"), "more series than a page of ListMetrics has");
    let times = listed.matches("<MetricName>TargetResponseTime<").count();
    let series = listed.matches("<MetricName>").count();
    let end = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let put = |metric: &str, members: &str| {
        call(&format!("Action=PutMetricData&Namespace=Earlier&{}", members.replace("NAME", metric))).map(drop)
    };
    for first in (end - EARLIER_S..end).step_by(usize::try_from(BATCH)?) {
        let mut members = String::new();
        for second in first..(first + BATCH).min(end) {
            let (member, value) = (format!("MetricData.member.{}", second - first + 1), second % 97);
            write!(members, "&{member}.MetricName=NAME&{member}.Timestamp={second}&{member}.Value={value}")?;
        }
        (0..series - times).try_for_each(|nth| put(&format!("M{nth}"), &members))?;
    }
    for second in end - EARLIER_S..end {
        let member = "MetricData.member.1";
        let mut members = format!("&{member}.MetricName=NAME&{member}.Timestamp={second}");
        for nth in 1..=DISTINCT {
            let value = (second * 31 + nth * 977) % 9973;
            write!(members, "&{member}.Values.member.{nth}=0.0{value:04}")?;
        }
        (0..times).try_for_each(|nth| put(&format!("T{nth}"), &members))?;
    }
    eprintln!("  {series} series, {times} of them response times, in {EARLIER_S} earlier seconds");
    Ok(())
}
