//! `breakfix postgres`: finds PostgreSQL, or installs it, and prints its directory.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};

use crate::{lab::StateDir, output, postgres};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Directory with PostgreSQL's programs; default: what this machine has, installed when there is none.
    #[arg(long, env = "LAB_PG_BIN", value_name = "DIRECTORY")]
    pg_bin: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments, state_dir: &StateDir) -> Result<ExitCode> {
    let tools = state_dir.tools();
    let found = tokio::task::spawn_blocking(move || postgres::find_or_install(arguments.pg_bin.as_deref(), &tools));
    output::data(found.await.context("looking for PostgreSQL")??.bin.to_string_lossy());
    Ok(ExitCode::SUCCESS)
}
