//! Parse, start telemetry, run, flush, exit.

use std::process::ExitCode;

use clap::{Parser, Subcommand, error::ErrorKind};
use golden::{App, Config, Identity, Listeners, Telemetry, healthcheck, identity, serve};
use tokio::signal::unix::{SignalKind, signal};

/// The service that the lab breaks.
#[derive(Parser)]
#[command(name = "golden", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand, Clone, Copy, PartialEq)]
enum Command {
    /// Serve until SIGTERM or SIGINT (the default).
    Serve,
    /// Exit 0 when the running task's /healthz answers 200, else 1.
    Healthcheck,
    /// Bring the database schema up to date and exit.
    Migrate,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => error.exit(),
        Err(error) => {
            return refuse(error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: "));
        }
    };
    if let Err(error) = cli.config.validate() {
        return refuse(&error.to_string());
    }
    let command = cli.command.unwrap_or(Command::Serve);
    if command == Command::Healthcheck {
        return match healthcheck::run(cli.config.bind_addr) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => fail(&reason),
        };
    }
    let identity = Identity::discover(std::env::var(identity::METADATA_URI).ok().as_deref());
    let telemetry = match Telemetry::init(&cli.config, &identity, Box::new(std::io::stdout())) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(&error.to_string()),
    };
    std::panic::set_hook(Box::new(|panic| tracing::error!(errorType = "InternalError", "{panic}")));
    let result = run(command, cli.config, identity, &telemetry);
    telemetry.shutdown();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}")),
    }
}

fn run(command: Command, config: Config, identity: Identity, telemetry: &Telemetry) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        if command == Command::Migrate {
            let app = App::build(config, identity, telemetry).await;
            app.database.migrate().await.map_err(|error| anyhow::anyhow!(error.detail()))?;
            tracing::info!("the schema is up to date");
            return Ok(());
        }
        // Before the sockets open, so that no signal falls between.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listeners = Listeners::bind(&config).await?;
        if let Some(warning) = &identity.warning {
            tracing::warn!("{warning}");
        }
        tracing::info!(version = %config.service_version, address = %listeners.public.local_addr()?, "serving");
        let app = App::build(config, identity, telemetry).await;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        Ok(serve(app, listeners, shutdown).await?)
    });
    // A statement or a touched page may still be under way; nobody waits for it any more.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

/// Bad configuration.
fn refuse(reason: &str) -> ExitCode {
    eprintln!("golden: {reason}");
    ExitCode::from(2)
}

fn fail(reason: &str) -> ExitCode {
    eprintln!("golden: {reason}");
    ExitCode::FAILURE
}
