//! `gameday`: drills against the lab that runs, and what a second terminal says to them.

mod archive;
mod catalogue;
mod player;
mod run;
mod screen;

use std::{path::PathBuf, process::ExitCode};

use ::gamedays::{Lab as Place, scenario::Library};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::env;
use crate::{
    checkout,
    commands::own_name,
    lab::{Lab, StateDir},
    names, output,
    problem::failure,
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder with the scenarios. Default: `gamedays/scenarios` of the checkout.
    #[arg(long, global = true, env = "LAB_SCENARIOS", value_name = "DIRECTORY")]
    scenarios: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hold a game day: prove the steady state, break the service, measure, put everything back.
    Run(run::Arguments),
    /// One line for each scenario.
    List {
        /// As JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// What a scenario tells the people on call; with --spoil everything.
    Show {
        /// Its id.
        id: String,
        /// Also what breaks, how it shows and what the truth is.
        #[arg(long)]
        spoil: bool,
    },
    /// I have it: take the incident of the run that goes on.
    Ack,
    /// Say what is broken and why, in your own words.
    Diagnose {
        /// E.g. "the balancer's health check asks for a path that is not there".
        #[arg(required = true, num_args = 1..)]
        text: Vec<String>,
    },
    /// The next hint, for its price.
    Hint,
    /// How the run looks now.
    Status {
        /// As JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// End the run that goes on; everything is put back.
    Abort,
    /// Write a run's report and print where it is. Default: the last run.
    Report {
        /// The run's id, as `history` shows it.
        run: Option<String>,
    },
    /// Every run: how long it took, and how that changes.
    History {
        /// As JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Put back what a run left that was cut off.
    Recover,
}

impl Arguments {
    /// Whether it needs a lab that runs.
    pub(crate) fn speaks_to_a_lab(&self) -> bool {
        matches!(self.command, Command::Run(_) | Command::Recover)
    }

    fn scenarios(&self) -> Result<Library> {
        let folder = self.scenarios.clone().or_else(|| checkout::folder("gamedays/scenarios"));
        let folder = folder.ok_or_else(|| {
            failure("there are no scenarios here", "run it inside the checkout, or name their folder with --scenarios")
        })?;
        // As a person would name it from here.
        let here = std::env::current_dir().unwrap_or_default();
        Ok(Library::at(folder.strip_prefix(&here).unwrap_or(&folder)))
    }
}

pub(crate) async fn run(arguments: &Arguments, lab: &Lab, state_dir: &StateDir) -> Result<ExitCode> {
    let folder = folder(state_dir);
    match &arguments.command {
        Command::Run(run) => return run::run(run, &arguments.scenarios()?, &place(lab).await?, folder).await,
        Command::List { json } => catalogue::list(&arguments.scenarios()?, *json)?,
        Command::Show { id, spoil } => catalogue::show(&arguments.scenarios()?, id, *spoil)?,
        Command::Ack => player::ack(&folder)?,
        Command::Diagnose { text } => player::diagnose(&folder, &text.join(" "))?,
        Command::Hint => player::hint(&folder)?,
        Command::Status { json } => player::status(&folder, *json)?,
        Command::Abort => player::abort(&folder)?,
        Command::Report { run } => archive::report(&folder, run.as_deref())?,
        Command::History { json } => archive::history(&folder, *json)?,
        Command::Recover => return recover(&place(lab).await?, &folder).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the runs of a lab lie.
pub(crate) fn folder(state_dir: &StateDir) -> PathBuf {
    state_dir.path().join("gamedays")
}

/// The lab, as a run sees it.
async fn place(lab: &Lab) -> Result<Place> {
    let config = lab.aws().await?;
    let url = names::balancer_url(&config).await?;
    let mut variables = env::variables(lab).await?;
    if let Some(programs) = checkout::folder(".venv/bin") {
        // Last, so that a person's own aws comes first.
        let path = variables.entry("PATH".into()).or_default();
        path.push(":");
        path.push(programs);
    }
    let pairs = variables
        .into_iter()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    let (speed, started_at) = match lab {
        Lab::Laptop(ready) => (ready.speed, Some(format!("{} pid {}", ready.started_at, ready.identity.pid))),
        _ => (1.0, None),
    };
    let clients = ::reset::Clients::from_config(config);
    Ok(Place::new(clients, url, speed, pairs.collect(), started_at))
}

async fn recover(lab: &Place, folder: &std::path::Path) -> Result<ExitCode> {
    let recovered = ::gamedays::recover(lab, folder).await.map_err(busy)?;
    if recovered.is_empty() {
        output::say("nothing is left to put back");
    }
    let mut all = true;
    for run in recovered {
        match run.failure {
            None => output::say(format!("{}: {}", run.run, run.words)),
            Some(reason) => {
                all = false;
                output::say(format!("{}: not put back: {reason}", run.run));
            }
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn busy(error: ::gamedays::Busy) -> anyhow::Error {
    match error {
        ::gamedays::Busy::Run { .. } => {
            let own = own_name();
            failure(error.to_string(), format!("see it with `{own} gameday status`, end it with `{own} gameday abort`"))
        }
        other => anyhow::Error::new(other).context("looking for a run that goes on"),
    }
}

/// The text of a file of a run.
fn read(path: &std::path::Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}
