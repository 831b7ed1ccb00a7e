//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, parser::ValueSource};

use crate::{
    commands::{break_mode, doctor, down, env, gameday, load, outage, postgres, runbook, status, up},
    lab::GENERATED,
};

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
    /// directory. Each directory is a lab of its own. As a flag it means the lab that runs there and no other, whatever
    /// AWS_ENDPOINT_URL says; as a variable it gives way to AWS_ENDPOINT_URL.
    #[arg(long, global = true, env = "LAB_STATE_DIR", value_name = "DIRECTORY")]
    pub state_dir: Option<PathBuf>,

    /// Whether the directory was given as the flag, which beats the environment.
    #[arg(skip)]
    pub state_dir_by_flag: bool,

    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line; ends the program where it is wrong.
    pub(crate) fn read() -> Self {
        Self::try_read(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    fn try_read(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(words)?;
        let by_flag = matches.value_source("state_dir") == Some(ValueSource::CommandLine);
        Ok(Self { state_dir_by_flag: by_flag, ..Self::from_arg_matches(&matches)? })
    }

    /// Reads the command line once more without the variables whose values an earlier lab may have left in the shell.
    pub(crate) fn without_generated_names() -> Self {
        let matches = without_generated_names(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

impl Command {
    /// Whether it asks a lab that runs, by whatever endpoint is configured.
    pub(crate) fn speaks_to_a_lab(&self) -> bool {
        match self {
            Self::Status(_) | Self::Env(_) | Self::Break(_) | Self::Reset(_) | Self::Outage(_) | Self::Load(_) => true,
            Self::Runbook(arguments) => arguments.speaks_to_a_lab(),
            Self::Gameday(arguments) => arguments.speaks_to_a_lab(),
            Self::Up(_) | Self::Down(_) | Self::Postgres(_) | Self::Doctor(_) => false,
        }
    }
}

fn without_generated_names(command: clap::Command) -> clap::Command {
    command.mut_subcommands(|command| {
        command.mut_args(|argument| match argument.get_env() {
            Some(variable) if GENERATED.iter().any(|name| variable == *name) => argument.env(None::<&str>),
            _ => argument,
        })
    })
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
    Break(Box<break_mode::Arguments>),
    /// Bring the lab back to its healthy state and verify it.
    Reset(reset::Arguments),
    /// Let an AWS service of a lab on a laptop throttle, fail, or not answer for a while.
    Outage(outage::Arguments),
    /// List, show and follow the runbooks: for each incident how to confirm it, mend it and see that it is mended.
    Runbook(runbook::Arguments),
    /// Hold a game day: break the service by a scenario, measure how it is found and mended, put everything back.
    Gameday(gameday::Arguments),
    /// Send an open-loop load through the balancer and measure it.
    Load(load::Arguments),
    /// Find PostgreSQL, or install it through the machine's own client, and print its directory.
    Postgres(postgres::Arguments),
    /// Check what the lab needs on this machine and that its drills are complete; each finding with the line that mends it.
    Doctor(doctor::Arguments),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(command: &clap::Command) -> Vec<String> {
        let of = |command: &clap::Command| -> Vec<String> {
            let variables = command.get_arguments().filter_map(clap::Arg::get_env);
            variables.map(|variable| variable.to_string_lossy().into_owned()).collect()
        };
        command.get_subcommands().flat_map(of).collect()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_state_directory_is_a_flag_before_and_after_the_command() {
        for words in [["breakfix", "--state-dir", "x", "status"], ["breakfix", "status", "--state-dir", "x"]] {
            let cli = Cli::try_read(words).expect("sound");
            assert!(cli.state_dir_by_flag && cli.state_dir == Some("x".into()), "{words:?}");
        }
        assert!(!Cli::try_read(["breakfix", "status"]).expect("sound").state_dir_by_flag);
    }

    #[test]
    fn generated_names_and_no_others_are_left_out() {
        let (with, without) = (variables(&Cli::command()), variables(&without_generated_names(Cli::command())));
        for name in GENERATED {
            assert!(with.iter().any(|variable| variable == name), "{name} is read somewhere");
            assert!(!without.iter().any(|variable| variable == name), "{name} is still read");
        }
        let others = with.iter().filter(|variable| !GENERATED.contains(&variable.as_str())).count();
        assert_eq!(without.len(), others);
        assert!(without.iter().any(|variable| variable == contract::names::env::CLUSTER), "{without:?}");
    }
}
