//! `status`: the lab on one screen, or as JSON.

mod text;

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use ::reset::{Clients, Names, Observation, observe};
use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::{duration, lab::Lab, output, problem::failure};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    names: Names,
    /// Everything that was seen, as JSON; with --watch one line for each look.
    #[arg(long)]
    json: bool,
    /// Look again and again until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// Time between two looks. Each look logs in to the database once.
    #[arg(long, default_value = "2s", value_parser = duration::parse, requires = "watch")]
    interval: Duration,
}

/// What `--json` prints: the observation, and where it was made.
#[derive(Serialize)]
struct Report<'a> {
    lab: String,
    /// What divides every waiting of the platform; absent where that is AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    #[serde(flatten)]
    observation: &'a Observation,
}

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    let clients = Clients::from_config(lab.aws().await?);
    loop {
        let seen = observe(&clients, &arguments.names).await;
        let observation = match seen {
            Ok(observation) => observation,
            Err(error) if arguments.watch => {
                output::say(format!("nothing is seen: {error}"));
                tokio::time::sleep(arguments.interval).await;
                continue;
            }
            Err(error) => return Err(failure(error.to_string(), "start the lab with `breakfix up`")),
        };
        show(arguments, lab, &observation)?;
        if !arguments.watch {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(arguments.interval).await;
    }
}

fn show(arguments: &Arguments, lab: &Lab, observation: &Observation) -> Result<()> {
    let speed = match lab {
        Lab::Laptop(ready) => Some(ready.speed),
        Lab::Configured => None,
    };
    if arguments.json {
        let report = Report { lab: lab.to_string(), speed, observation };
        let print = if arguments.watch { serde_json::to_string } else { serde_json::to_string_pretty };
        output::data(print(&report).context("writing the status")?);
    } else {
        let text = text::render(&lab.to_string(), speed, observation);
        // On a terminal the screen is wiped, so that the eye finds each thing where it was.
        let clear = if arguments.watch && std::io::stdout().is_terminal() { "\x1b[2J\x1b[H" } else { "" };
        output::data(format!("{clear}{text}"));
    }
    Ok(())
}
