//! `reset`: brings the lab back to its healthy state, and proves it.

use std::process::ExitCode;

use clap::Parser;
use reset::{Arguments, Clients};

/// Bring the lab back to health: print what differs, repair it, and prove it with traffic through the balancer.
#[derive(Parser)]
#[command(
    name = "reset",
    version,
    after_help = "Exit code: 0 healthy, 1 not healthy or not possible (a dry run: something to do), 2 usage."
)]
struct CommandLine {
    #[command(flatten)]
    arguments: Arguments,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let CommandLine { arguments } = CommandLine::parse();
    let clients = Clients::load().await;
    Ok(reset::execute(&clients, &arguments).await?)
}
