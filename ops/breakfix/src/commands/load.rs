//! `load`: an open-loop load through the balancer; a live line for people, the summary as JSON for programs.

mod text;

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use ::load::{Profile, Summary, Target};
use anyhow::{Context, Result};
use clap::Args;
use contract::{duration, names::route};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{
    lab::Lab,
    names,
    number::within,
    output::{self, LiveLine},
    problem::usage,
    signals::Signals,
};

/// Fewest arrivals per second: one in 1000 s.
const LEAST_RATE: f64 = 0.001;
/// Most arrivals per second: what one process can pace.
const MOST_RATE: f64 = 100_000.0;

#[derive(Debug, Args)]
#[command(after_help = "Latency counts from when a request was due, so a freeze shows. \
                        Examples:\n  breakfix load\n  breakfix load --rate 50 --duration 1m --path /db --path /work?ms=20@3\n  \
                        breakfix load --max-error-rate 0 --max-p99-ms 500 --quiet > summary.json")]
pub(crate) struct Arguments {
    /// What to request, repeatable: `[METHOD:]PATH[@WEIGHT]`. Default: `/`, `/work?ms=10` and `/db` alike.
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// Arrivals per second, whether or not the answers come.
    #[arg(long, default_value_t = 20.0, value_parser = within(LEAST_RATE, MOST_RATE), allow_negative_numbers = true)]
    rate: f64,
    /// How long (30s, 10m, 2h).
    #[arg(long, default_value = "30s", value_parser = duration::parse)]
    duration: Duration,
    /// End after this many arrivals, if that is sooner.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    count: Option<u64>,
    /// Base URL instead of the lab's balancer.
    #[arg(long, env = contract::names::env::ALB_URL)]
    url: Option<String>,
    /// Patience for one request. Too short turns slowness into errors.
    #[arg(long, default_value = "10s", value_parser = duration::parse)]
    timeout: Duration,
    /// Most requests under way; arrivals past it are shed and counted as errors. Too low hides the tail of a freeze; each needs
    /// an open file.
    #[arg(long, default_value_t = 512, allow_negative_numbers = true)]
    max_in_flight: usize,
    /// Exit 1 when a larger share of the arrivals than this (0 to 1) failed or was shed.
    #[arg(long, value_name = "SHARE", value_parser = within(0.0, 1.0), allow_negative_numbers = true)]
    max_error_rate: Option<f64>,
    /// Exit 1 when the 99th percentile is above this many milliseconds.
    #[arg(long, value_name = "MS", value_parser = within(0.0, f64::INFINITY), allow_negative_numbers = true)]
    max_p99_ms: Option<f64>,
    /// No live line, and no summary for people.
    #[arg(long)]
    quiet: bool,
}

pub(crate) async fn run(arguments: Arguments, lab: &Lab) -> Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let targets = arguments.paths.iter().map(|text| target(text)).collect::<Result<Vec<_>>>()?;
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => names::balancer_url(&lab.aws().await?).await?,
    };
    let mut profile = Profile::new(url, arguments.rate).lasting(arguments.duration);
    profile.targets = if targets.is_empty() { gentle() } else { targets };
    (profile.count, profile.timeout, profile.in_flight_max) =
        (arguments.count, arguments.timeout, arguments.max_in_flight);
    raise_open_files();

    let run = ::load::start(profile).map_err(|error| usage(error.to_string(), "see `load --help`"))?;
    let (mut snapshots, stop) = (run.snapshots(), run.stopper());
    let mut line = LiveLine::default();
    let finish = run.finish();
    tokio::pin!(finish);
    let summary = loop {
        tokio::select! {
            summary = &mut finish => break summary,
            () = signals.next() => stop.stop(),
            Ok(()) = snapshots.changed() => {
                if !arguments.quiet {
                    line.show(&text::live(&snapshots.borrow_and_update()));
                }
            }
        }
    };
    line.end();
    if !arguments.quiet && std::io::stderr().is_terminal() {
        output::say(text::summary(&summary));
    }
    output::data(serde_json::to_string_pretty(&summary).context("writing the summary")?);
    let broken = broken(&summary, arguments.max_error_rate, arguments.max_p99_ms);
    broken.iter().for_each(output::say);
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The business routes. Work of 10 ms, because the route's own default at some ten requests a second is more than two tasks
/// of a quarter CPU can do, and a healthy lab should look healthy.
fn gentle() -> Vec<Target> {
    vec![Target::get(route::ROOT), Target::get(format!("{}?ms=10", route::WORK)), Target::get(route::DB)]
}

/// `[METHOD:]PATH[@WEIGHT]`.
fn target(text: &str) -> Result<Target> {
    let wrong =
        |what: &str| usage(format!("`{text}` is no target: {what}"), "write [METHOD:]PATH[@WEIGHT], e.g. /db@3");
    let (rest, weight) = match text.rsplit_once('@') {
        Some((rest, weight)) => (rest, weight.parse().map_err(|_| wrong("the weight is no whole number"))?),
        None => (text, 1),
    };
    let (method, path) = match rest.split_once(':') {
        Some((method, path)) if !method.starts_with('/') => (method, path),
        _ => ("GET", rest),
    };
    let method = method.to_ascii_uppercase().parse().map_err(|_| wrong("the method is none"))?;
    Ok(Target::get(path).method(method).weight(weight))
}

/// The limits that were broken, each in a line.
fn broken(summary: &Summary, max_error_rate: Option<f64>, max_p99_ms: Option<f64>) -> Vec<String> {
    let mut lines = Vec::new();
    if summary.finished <= summary.failed {
        lines.push(format!(
            "check failed: no request was answered well ({} failed and {} shed of {})",
            summary.failed, summary.shed, summary.arrivals
        ));
    }
    if let Some(max) = max_error_rate.filter(|max| summary.error_rate > *max) {
        lines.push(format!(
            "check failed: error rate {:.4} is above {max} ({} failed and {} shed of {})",
            summary.error_rate, summary.failed, summary.shed, summary.arrivals
        ));
    }
    if let Some(max) = max_p99_ms.filter(|max| summary.latency_ms.p99 > *max) {
        lines.push(format!("check failed: p99 {:.1} ms is above {max} ms", summary.latency_ms.p99));
    }
    lines
}

/// Each request under way is an open file, and the usual soft limit is 1024; the hard limit is ours to use.
fn raise_open_files() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // Refused or not, the run goes on: sockets past the limit show as connect errors.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        for (text, method, path, weight) in [
            ("/", "GET", "/", 1),
            ("/work?ms=20@3", "GET", "/work?ms=20", 3),
            ("post:/db@2", "POST", "/db", 2),
            ("/a:b", "GET", "/a:b", 1),
        ] {
            let read = target(text).expect(text);
            assert_eq!((read.method.as_str(), read.path.as_str(), read.weight), (method, path, weight), "{text}");
        }
        assert!(target("/db@many").is_err());
        assert!(target("ge t:/db").is_err());
    }

    #[tokio::test]
    async fn limits_are_checked() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = closed.local_addr().expect("bound");
        drop(closed);
        let profile = Profile::new(format!("http://{address}"), 100.0).target(Target::get("/")).counting(4);
        let summary = ::load::run(profile).await.expect("sound");
        let lines = broken(&summary, Some(1.0), None);
        assert_eq!(lines, ["check failed: no request was answered well (4 failed and 0 shed of 4)"]);
        let lines = broken(&summary, Some(0.5), Some(0.0));
        assert!(lines[1].contains("error rate 1.0000 is above 0.5 (4 failed and 0 shed of 4)"), "{lines:?}");
        assert!(lines[2].contains("is above 0 ms"), "{lines:?}");
        let answered = Summary { failed: 3, error_rate: 0.75, ..summary };
        assert_eq!(broken(&answered, None, None), Vec::<String>::new(), "without a limit one good answer is enough");
    }
}
