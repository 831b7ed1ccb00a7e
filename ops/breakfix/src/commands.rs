//! One file for each command. Each takes its arguments and returns the exit code.

pub(crate) mod break_mode;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod env;
pub(crate) mod gameday;
pub(crate) mod load;
pub(crate) mod outage;
pub(crate) mod postgres;
pub(crate) mod reset;
pub(crate) mod runbook;
pub(crate) mod status;
pub(crate) mod up;
mod words;

use std::process::ExitCode;

use anyhow::{Context, Result};

pub(crate) use self::words::{own_name, program};
use crate::{
    cli::{Cli, Command},
    lab::{Lab, StateDir},
    output,
};

pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    let state_dir = StateDir::find(cli.state_dir.as_deref()).context("finding the working directory")?;
    if cli.state_dir_by_flag {
        words::repeat_state_dir(state_dir.path());
    }
    let lab = Lab::find(&state_dir, cli.state_dir_by_flag).await;
    // Only who named the directory means its lab.
    if cli.state_dir.is_some()
        && let Some(warning) = lab.warning(state_dir.path()).filter(|_| cli.command.speaks_to_a_lab())
    {
        output::say(warning);
    }
    let command = if lab.ignores_generated_names() { Cli::without_generated_names().command } else { cli.command };
    match command {
        Command::Up(arguments) => up::run(arguments, &state_dir).await,
        Command::Down(arguments) => down::run(&arguments, &state_dir).await,
        Command::Status(arguments) => status::run(&arguments, &lab).await,
        Command::Env(arguments) => env::run(&arguments, &lab).await,
        Command::Break(arguments) => break_mode::run(*arguments, &lab).await,
        Command::Reset(arguments) => reset::run(&arguments, &lab).await,
        Command::Outage(arguments) => outage::run(&arguments, &lab).await,
        Command::Runbook(arguments) => runbook::run(&arguments, &lab).await,
        Command::Gameday(arguments) => gameday::run(&arguments, &lab, &state_dir).await,
        Command::Load(arguments) => load::run(arguments, &lab).await,
        Command::Postgres(arguments) => postgres::run(arguments, &state_dir).await,
        Command::Doctor(arguments) => doctor::run(&arguments, &state_dir, &lab).await,
    }
}
