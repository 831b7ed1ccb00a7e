//! `status`: the lab on one screen, or as JSON.

mod stale;
mod text;

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use ::reset::{Clients, Names, Observation, observe};
use anyhow::{Context, Result};
use clap::Args;
use contract::duration;
use serde::Serialize;

use crate::{
    commands::own_name,
    lab::Lab,
    outages::{Outage, Outages},
    output,
    problem::failure,
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    names: Names,
    /// Everything that was seen, as JSON; with --watch one line for each look.
    #[arg(long)]
    json: bool,
    /// Show the value of a blind mode as well; without this the drill stays a search.
    #[arg(long)]
    reveal: bool,
    /// Look again and again until Ctrl-C, or until nobody reads.
    #[arg(long)]
    watch: bool,
    /// Time between two looks. Each look logs in to the database once.
    #[arg(long, default_value = "2s", value_parser = interval, requires = "watch")]
    interval: Duration,
}

/// What `--json` prints: the observation, and where it was made.
#[derive(Serialize)]
struct Report<'a> {
    lab: String,
    /// What divides every waiting of the platform; absent where that is AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    /// AWS services that are down on purpose.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    outages: &'a [String],
    #[serde(flatten)]
    observation: &'a Observation,
}

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    let clients = Clients::from_config(lab.aws().await?);
    loop {
        let seen = observe(&clients, &arguments.names).await;
        let mut observation = match seen {
            Ok(observation) => observation,
            Err(error) if arguments.watch => {
                output::say(format!("nothing is seen: {error}"));
                tokio::time::sleep(arguments.interval).await;
                continue;
            }
            Err(error) => return Err(failure(error.to_string(), format!("start the lab with `{} up`", own_name()))),
        };
        if !arguments.reveal {
            observation.hide();
        }
        let outages = match Outages::maybe(lab) {
            // Whoever answers there need not be a lab.
            Some(outages) => outages.active().await.unwrap_or_default(),
            None => Vec::new(),
        };
        let outages: Vec<String> = outages.iter().map(Outage::line).collect();
        let read = show(arguments, lab, &observation, &outages)?;
        if arguments.watch && !read {
            return Ok(ExitCode::SUCCESS);
        }
        if !arguments.watch {
            // The rest is shown all the same; it may tell which lab this is.
            observation.missing.iter().for_each(|missing| output::say(format!("error: {missing}")));
            return Ok(if observation.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(arguments.interval).await;
    }
}

/// Each look is a dozen calls and a log-in: faster ones would be a load of their own.
fn interval(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_millis(200);
    duration::parse(text).and_then(|interval| match interval < LEAST {
        true => Err("give 200ms or more".to_owned()),
        false => Ok(interval),
    })
}

/// Shows one look; false when nobody reads any more.
fn show(arguments: &Arguments, lab: &Lab, observation: &Observation, outages: &[String]) -> Result<bool> {
    let speed = match lab {
        Lab::Laptop(ready) => Some(ready.speed),
        Lab::Configured { .. } | Lab::Gone { .. } | Lab::Absent { .. } => None,
    };
    let stale =
        lab.ignores_generated_names().then(|| stale::line(observation, |name| std::env::var(name).ok())).flatten();
    if arguments.json {
        let report = Report { lab: lab.to_string(), speed, outages, observation };
        let print = if arguments.watch { serde_json::to_string } else { serde_json::to_string_pretty };
        stale.iter().for_each(output::say);
        return Ok(output::more_data(print(&report).context("writing the status")?));
    }
    let text = text::render(&lab.to_string(), speed, observation);
    let stale = stale.map(|line| format!("\n\n{line}")).unwrap_or_default();
    // On a terminal the screen is wiped, so that the eye finds each thing where it was.
    let clear = if arguments.watch && std::io::stdout().is_terminal() { "\x1b[2J\x1b[H" } else { "" };
    let outages: String = outages.iter().map(|outage| format!("\noutage    {outage}")).collect();
    Ok(output::more_data(format!("{clear}{text}{outages}{stale}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_at_most_five_times_a_second() {
        assert_eq!(interval("200ms"), Ok(Duration::from_millis(200)));
        for text in ["0", "199ms", "soon"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
