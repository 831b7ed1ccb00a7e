//! Parses, starts the log, runs the twin until a signal, and turns the result into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use tokio_util::sync::CancellationToken;
use twin::Config;

fn main() -> ExitCode {
    let config = Config::parse();
    twin::telemetry::start(&config.log_level);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return twin::telemetry::refuse(&error, 1),
    };
    let result = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        twin::signals::cancel_on_signal(shutdown.clone())?;
        twin::run(config, shutdown, |_| {}).await
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => twin::telemetry::refuse(&error, error.exit_code()),
    }
}
