//! The lab's command line.

mod binaries;
mod checkout;
mod cli;
mod commands;
mod disk;
mod lab;
mod names;
mod number;
mod outages;
mod output;
mod postgres;
mod problem;
mod process;
mod resources;
mod signals;
mod steady;
mod twin;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error(&anyhow::Error::new(error).context("starting the async runtime"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(commands::run(cli));
    // A blocking step that was interrupted (an installation) must not hold the exit.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| {
        output::error(&error);
        problem::Problem::of(&error).map_or(ExitCode::FAILURE, |problem| ExitCode::from(problem.exit))
    })
}
