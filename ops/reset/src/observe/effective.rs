//! Which version of the parameter each running task applies.
//!
//! The application says so on every reply (`x-lab-task`, `x-lab-config-version`); `/live` is the route that no failure mode
//! touches. A task is asked at its own address, which works on the same machine and inside the VPC; those that do not
//! answer are looked for through the balancer, a new connection for each try.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use contract::names::{resource, route};
use serde::Serialize;

use super::Task;
use crate::probe::{Probe, Reply};

/// How long a task may take to answer: `/live` does no work, so a slower one is out of reach or starved.
const DIRECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a try through the balancer may take.
const SAMPLE_TIMEOUT: Duration = Duration::from_millis(1000);
/// Tries through the balancer for each missing task. Round robin over two tasks needs two; random routing misses one of
/// two tasks in eight tries once in 256.
const SAMPLES_PER_TASK: usize = 8;

/// What one running task says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effective {
    /// Task id.
    pub task: String,
    /// Version that it applies; none when it did not answer or has read no parameter yet.
    pub version: Option<i64>,
    /// How it was asked; none when it did not answer.
    pub via: Option<Via>,
    /// Why there is no version.
    pub error: Option<String>,
}

/// The way by which a task was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// At its private address.
    Address,
    /// Through the balancer.
    Balancer,
}

/// Remembers whether private addresses can be reached from here: where they cannot, waiting for them at every poll would
/// slow the verification down for nothing.
#[derive(Debug, Default)]
pub(super) struct Reader {
    fruitless: u32,
}

/// Rounds in which no task could be reached before private addresses are given up.
const FRUITLESS_ROUNDS: u32 = 3;

impl Reader {
    pub(super) async fn read(&mut self, probe: &Probe, tasks: &[Task], url: Option<&str>) -> Vec<Effective> {
        let running: Vec<&Task> = tasks.iter().filter(|task| task.is_running()).collect();
        if running.is_empty() {
            return Vec::new();
        }
        let mut found =
            if self.fruitless < FRUITLESS_ROUNDS { ask_directly(probe, &running).await } else { Vec::new() };
        self.fruitless = if found.iter().any(|effective| effective.via.is_some()) { 0 } else { self.fruitless + 1 };
        found.extend(running.iter().skip(found.len()).map(|task| unanswered(task, "its address is out of reach")));
        let missing: Vec<&str> =
            found.iter().filter(|effective| effective.via.is_none()).map(|effective| effective.task.as_str()).collect();
        if let (Some(url), false) = (url, missing.is_empty()) {
            let sampled = sample(probe, url, &missing).await;
            for effective in found.iter_mut().filter(|effective| effective.via.is_none()) {
                if let Some(version) = sampled.get(&effective.task) {
                    *effective = answered(&effective.task, Via::Balancer, *version);
                }
            }
        }
        found
    }
}

async fn ask_directly(probe: &Probe, tasks: &[&Task]) -> Vec<Effective> {
    let mut asked = tokio::task::JoinSet::new();
    for (index, task) in tasks.iter().enumerate() {
        let (probe, task) = (probe.clone(), (*task).clone());
        asked.spawn(async move { (index, ask(&probe, &task).await) });
    }
    let mut answers: Vec<_> = asked.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, effective)| effective).collect()
}

async fn ask(probe: &Probe, task: &Task) -> Effective {
    let Some(address) = task.private_ipv4 else {
        return unanswered(task, "it has no private address");
    };
    let url = format!("http://{}{}", SocketAddr::from((address, resource::CONTAINER_PORT)), route::LIVE);
    match probe.get(&url, DIRECT_TIMEOUT).await {
        // In a VPC next door the same private address may be someone else's.
        Ok(Reply { task: Some(id), config_version, .. }) if id == task.id => {
            answered(&task.id, Via::Address, config_version)
        }
        Ok(_) => unanswered(task, "another program answers at its address"),
        Err(error) => unanswered(task, &error.to_string()),
    }
}

async fn sample(probe: &Probe, url: &str, missing: &[&str]) -> BTreeMap<String, Option<i64>> {
    let mut seen = BTreeMap::new();
    let url = format!("{url}{}", route::LIVE);
    for _ in 0..missing.len() * SAMPLES_PER_TASK {
        if let Ok(Reply { task: Some(task), config_version, .. }) = probe.get(&url, SAMPLE_TIMEOUT).await {
            seen.insert(task, config_version);
        }
        if missing.iter().all(|task| seen.contains_key(*task)) {
            break;
        }
    }
    seen
}

fn answered(task: &str, via: Via, version: Option<i64>) -> Effective {
    let error = version.is_none().then(|| "it has read no parameter yet".to_owned());
    Effective { task: task.to_owned(), version, via: Some(via), error }
}

fn unanswered(task: &Task, error: &str) -> Effective {
    Effective { task: task.id.clone(), version: None, via: None, error: Some(error.to_owned()) }
}
