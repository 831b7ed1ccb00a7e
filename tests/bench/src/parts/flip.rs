//! From a changed parameter to every task, and what it costs in `GetParameter` calls, at two request rates.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use contract::names::{header, resource};
use serde_json::Value;
use tests::{Lab, Reply};

use crate::figure::{Goal, Report, quantile};

const FLIPS: usize = 40;

pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for rate in [10.0, 2000.0] {
        eprintln!("flips under {rate} requests/s");
        let lab = Lab::up();
        let tasks = addresses(&lab);
        ensure!(tasks.len() == 2, "the lab has two tasks: {tasks:?}");
        let profile = load::Profile::new(lab.name("ALB_URL"), rate)
            .target(load::Target::get("/"))
            .lasting(Duration::from_secs(600));
        let _inside = runtime.enter();
        let run = load::start(profile)?;
        let (calls, start) = (fetches(&tasks)?, Instant::now());
        let mut flips = Vec::new();
        for flip in 0..FLIPS {
            // A value that changes nothing a caller sees, so that the load stays good.
            let value = format!(r#"{{"mode":"latency","min_ms":0,"max_ms":0,"seed":{flip}}}"#);
            flips.push(flip_once(&lab, &tasks, &value)?);
        }
        let seconds = start.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a count of tasks")]
        let cost = (fetches(&tasks)? - calls) / seconds / tasks.len() as f64;
        run.stopper().stop();
        report.add(
            &format!("flip_p99_at_{rate}"),
            &format!("flip to effective on all tasks, p99 of {FLIPS} at {rate} requests/s, seconds"),
            Goal::AtMost(1.2),
            vec![quantile(&flips, 0.99)],
        );
        report.add(
            &format!("flip_cost_at_{rate}"),
            &format!("GetParameter calls per second and task at {rate} requests/s"),
            Goal::AtMost(1.2),
            vec![cost],
        );
    }
    Ok(())
}

/// Seconds from the answer to PutParameter until every task applies the new version.
fn flip_once(lab: &Lab, tasks: &[String], value: &str) -> anyhow::Result<f64> {
    let version = lab.set_mode(value).to_string();
    let start = Instant::now();
    for task in tasks {
        loop {
            let reply =
                Reply::get(&format!("http://{task}:{}/live", resource::CONTAINER_PORT), &[], Duration::from_secs(2))?;
            if reply.header(header::CONFIG_VERSION) == Some(version.as_str()) {
                break;
            }
            ensure!(start.elapsed() < Duration::from_secs(30), "task {task} does not apply version {version}");
            thread::sleep(Duration::from_millis(10));
        }
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Private addresses of the running tasks.
fn addresses(lab: &Lab) -> Vec<String> {
    let details = lab
        .tasks("RUNNING")
        .into_iter()
        .flat_map(|task| task["attachments"][0]["details"].as_array().cloned().unwrap_or_default());
    details
        .filter(|detail| detail["name"] == "privateIPv4Address")
        .filter_map(|detail| detail["value"].as_str().map(str::to_owned))
        .collect()
}

/// Refreshes of the failure mode that all tasks have made so far, from their own counters.
fn fetches(tasks: &[String]) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for task in tasks {
        let failure =
            Reply::get(&format!("http://{task}:{}/failure", resource::ADMIN_PORT), &[], Duration::from_secs(2))?.json();
        sum += failure
            .get("fetches")
            .and_then(Value::as_f64)
            .with_context(|| format!("/failure counts its fetches: {failure}"))?;
    }
    Ok(sum)
}
