//! `cargo xtask drill`: every scenario on autopilot against a fresh lab, and one table.
//!
//! It proves that each fault is detected by its alarm, mended by its runbook and put back, which no person does every day.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::Value;

use xtask::workspace::{self, cargo, run};

/// The clients' own time is most of what is left; past 30 a busy machine misses health checks.
const SPEED: f64 = 20.0;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Time factor of the lab. Higher is quicker, until the machine does not keep up with its own health checks.
    #[arg(long, default_value_t = SPEED)]
    speed: f64,
    /// Only this scenario; give it again for a second one.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Keep the lab's directory with all reports and print where it is.
    #[arg(long)]
    keep: bool,
}

impl Arguments {
    /// All scenarios, as CI plays them.
    pub(crate) const fn all() -> Self {
        Self { speed: SPEED, only: Vec::new(), keep: false }
    }
}

/// One line of the table.
struct Row {
    scenario: String,
    /// MTTD, MTTR, MTTV in seconds.
    times: [Option<f64>; 3],
    passed: bool,
    reason: String,
}

/// Drills.
///
/// # Errors
/// When the lab does not start, or a scenario fails.
pub(crate) fn drill(arguments: &Arguments) -> anyhow::Result<()> {
    run(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let place = std::env::temp_dir().join(format!("breakfix-drill-{}", std::process::id()));
    let lab = Lab { place };
    let (port, balancer_port) = (free_port()?.to_string(), free_port()?.to_string());
    let speed = arguments.speed.to_string();
    run(lab
        .breakfix(&["up", "--detach", "--speed", &speed, "--port", &port, "--balancer-port", &balancer_port])
        .stdin(Stdio::null()))?;
    let done = all(&lab, &arguments.only);
    if arguments.keep {
        eprintln!("reports: {}", lab.place.join("gamedays").display());
    }
    lab.end(arguments.keep);
    let rows = done?;
    print(&rows, arguments.speed);
    let failed = rows.iter().filter(|row| !row.passed).count();
    ensure!(failed == 0, "{failed} of {} scenarios failed", rows.len());
    Ok(())
}

fn all(lab: &Lab, only: &[String]) -> anyhow::Result<Vec<Row>> {
    let listed = lab.breakfix(&["gameday", "list", "--json"]).output().context("listing the scenarios")?;
    let listed: Value = serde_json::from_slice(&listed.stdout).context("the list of scenarios is no JSON")?;
    let ids: Vec<&str> = listed.as_array().into_iter().flatten().filter_map(|row| row["id"].as_str()).collect();
    if let Some(unknown) = only.iter().find(|id| !ids.contains(&id.as_str())) {
        bail!("there is no scenario `{unknown}`; there are {}", ids.join(", "));
    }
    let wanted = ids.into_iter().filter(|id| only.is_empty() || only.iter().any(|only| only == id));
    Ok(wanted
        .map(|id| {
            eprintln!("==== {id}");
            let row = one(lab, id).unwrap_or_else(|error| Row::failed(id, format!("{error:#}")));
            eprintln!("{}: {}", if row.passed { "passed" } else { "FAILED" }, row.reason);
            row
        })
        .collect())
}

fn one(lab: &Lab, id: &str) -> anyhow::Result<Row> {
    let output = lab
        .breakfix(&["gameday", "run", id, "--autopilot", "--json"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .context("running the game day")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut events = text.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let Some(outcome) = events.find(|event| event["event"] == "outcome") else {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("no outcome: {}", said.lines().last().unwrap_or("it said nothing"));
    };
    let outcome = &outcome["outcome"];
    let unseen: Vec<&str> =
        outcome["missing_signals"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let reasons = outcome["verdict"]["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut reasons: Vec<String> = reasons.map(str::to_owned).collect();
    if !unseen.is_empty() {
        reasons.insert(0, format!("expected and not seen: {}", unseen.join(", ")));
    }
    let measured = &outcome["measured"];
    let since = |name: &str| Some(seconds(&measured[name]["at"])? - seconds(&measured["fault"]["at"])?);
    Ok(Row {
        scenario: id.to_owned(),
        times: [since("detected"), since("recovered"), since("verified")],
        passed: output.status.success() && unseen.is_empty(),
        reason: reasons.join("; "),
    })
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in an f64")]
fn seconds(at: &Value) -> Option<f64> {
    let at = time::OffsetDateTime::parse(at.as_str()?, &time::format_description::well_known::Rfc3339).ok()?;
    Some((at.unix_timestamp_nanos() / 1_000_000) as f64 / 1000.0)
}

#[allow(clippy::print_stdout, reason = "the table is the result")]
fn print(rows: &[Row], speed: f64) {
    let time = |time: Option<f64>| time.map_or("–".to_owned(), |time| format!("{time:.1}"));
    let width = rows.iter().map(|row| row.scenario.len()).max().unwrap_or(8);
    println!("seconds of real time; the platform's waiting runs {speed}x");
    println!("{:width$}  {:>7}  {:>7}  {:>7}  verdict  reason", "scenario", "MTTD", "MTTR", "MTTV");
    for row in rows {
        let [detected, recovered, verified] = row.times.map(time);
        let verdict = if row.passed { "passed" } else { "FAILED" };
        println!("{:width$}  {detected:>7}  {recovered:>7}  {verified:>7}  {verdict:7}  {}", row.scenario, row.reason);
    }
}

impl Row {
    fn failed(id: &str, reason: String) -> Self {
        Self { scenario: id.to_owned(), times: [None; 3], passed: false, reason }
    }
}

/// A lab of the drill's own.
struct Lab {
    place: PathBuf,
}

impl Lab {
    fn breakfix(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(workspace::binary("debug", "breakfix"));
        command.args(arguments).arg("--state-dir").arg(&self.place).current_dir(workspace::path(""));
        // The flag decides; what the shell's lab exported must not.
        command.env_remove("AWS_ENDPOINT_URL");
        command
    }

    fn end(&self, keep: bool) {
        // Whatever it says: the drill's own result counts.
        let _ = self.breakfix(&["down"]).stderr(Stdio::null()).status();
        if !keep {
            let _ = std::fs::remove_dir_all(&self.place);
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .context("finding a free port")?
        .port())
}
