//! `wrk`, a closed loop in C: light enough to leave the CPU to the server under test.

use std::process::Command;

use anyhow::{Context as _, ensure};

/// Connections of one run. Enough to keep two cores busy, few enough for a small balancer.
const CONNECTIONS: &str = "64";

/// Requests per second of `url` over some seconds.
///
/// # Errors
/// When wrk cannot run, or when replies were other than 2xx: then the figure would count the wrong thing.
pub(crate) fn requests_per_s(url: &str, seconds: u32) -> anyhow::Result<f64> {
    let duration = format!("{seconds}s");
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", CONNECTIONS, "-d", &duration, url])
        .output()
        .context("wrk runs; `cargo xtask bench` installs it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk {url}: {}", String::from_utf8_lossy(&output.stderr));
    ensure!(!text.contains("Non-2xx"), "wrk {url} saw replies other than 2xx: {text}");
    let figure = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))
        .with_context(|| format!("wrk said: {text}"))?;
    Ok(figure.trim().parse()?)
}
