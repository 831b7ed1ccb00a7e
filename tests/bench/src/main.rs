//! Measures the lab: ratios against a peer in the same run, printed and kept as JSON. `cargo xtask bench` builds and runs it.
//!
//! Promises: a figure that misses its goal is printed and kept as it is. Refuses: to pass or fail anything; a busy machine must
//! not turn a build red.

mod figure;
mod machine;
mod parts;
mod peer;
mod wrk;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};

use figure::Report;

#[derive(Parser)]
struct Arguments {
    /// Measure only these parts.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// File that keeps the figures. Parts that are not measured now keep the figures they had.
    #[arg(long, default_value = "tests/bench/figures.json")]
    output: PathBuf,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// The bare axum server that golden is compared with.
    #[command(hide = true)]
    Peer {
        #[arg(long)]
        port: u16,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// `/` through golden against the same body on bare axum.
    Golden,
    /// The balancer against HAProxy.
    Balancer,
    /// The balancer with the web ACL against without.
    Firewall,
    /// From a changed parameter to every task, and what it costs in GetParameter calls.
    Flip,
    /// Start, memory and reset from every mode.
    Lab,
    /// Metrics, alarms, logs and traces: what they cost, and the twin's memory in an hour.
    Sight,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Role::Peer { port }) = arguments.role {
        return peer::serve(port);
    }
    let wanted = |part: Part| arguments.only.is_empty() || arguments.only.contains(&part);
    let mut report = Report::open(&arguments.output)?;
    for part in Part::value_variants().iter().copied().filter(|part| wanted(*part)) {
        match part {
            Part::Golden => parts::golden::measure(&mut report),
            Part::Balancer => parts::balancer::measure(&mut report),
            Part::Firewall => parts::firewall::measure(&mut report),
            Part::Flip => parts::flip::measure(&mut report),
            Part::Lab => parts::lab::measure(&mut report),
            Part::Sight => parts::sight::measure(&mut report),
        }?;
        report.save().with_context(|| format!("writing {}", arguments.output.display()))?;
    }
    report.print();
    Ok(())
}
