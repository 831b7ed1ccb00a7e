//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{break_mode, doctor, down, env, load, postgres, status, up};

/// Break a small production-shaped service on purpose, find the fault, repair it.
#[derive(Debug, Parser)]
#[command(
    name = "breakfix",
    version,
    after_help = "The common case:\n  breakfix up                      start the lab and attend it (Ctrl-C ends it)\n  \
                  breakfix break return_500        in another terminal: break it\n  \
                  breakfix status --watch          watch what happens\n  \
                  breakfix reset                   back to healthy, verified\n\n\
                  Exit codes: 0 fine, 1 a check or an action failed, 2 wrong usage."
)]
pub(crate) struct Cli {
    /// Directory with everything a running lab leaves on disk. Default: `.lab` in the workspace, else in the working
    /// directory. Each directory is a lab of its own.
    #[arg(long, global = true, env = "LAB_STATE_DIR", value_name = "DIRECTORY")]
    pub state_dir: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the lab and attend it until Ctrl-C.
    Up(up::Arguments),
    /// End the lab that runs in the background.
    Down(down::Arguments),
    /// Show tasks, targets, failure mode, database sessions and the secret's version.
    Status(status::Arguments),
    /// Print the exports that point the aws CLI and your scripts at the lab: eval "$(breakfix env)".
    Env(env::Arguments),
    /// Break the service: write a failure mode to its parameter.
    Break(break_mode::Arguments),
    /// Bring the lab back to its healthy state and verify it.
    Reset(reset::Arguments),
    /// Send an open-loop load through the balancer and measure it.
    Load(load::Arguments),
    /// Find PostgreSQL, or install it through the machine's own client, and print its directory.
    Postgres(postgres::Arguments),
    /// Check what the lab needs on this machine; each finding with the line that mends it.
    Doctor(doctor::Arguments),
}
