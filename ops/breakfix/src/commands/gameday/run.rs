//! `gameday run`.

use std::{
    fs::OpenOptions,
    io::IsTerminal,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ::gamedays::{
    Event, Lab, Outcome, RunError, Settings, Stop,
    scenario::{Library, MYSTERY, Scenario},
};
use anyhow::{Context, Result};
use clap::Args;
use contract::duration;

use super::screen::Screen;
use crate::{
    checkout,
    commands::own_name,
    output,
    problem::{failure, usage},
    signals::Signals,
};

/// Shorter, and the fault is taken back before anybody can see it.
const LEAST_LIMIT: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Id of a scenario (see `gameday list`), a YAML file, or `mystery`: one of them, by lot and unnamed.
    scenario: String,
    /// Follow the scenario's runbook instead of people.
    #[arg(long)]
    autopilot: bool,
    /// Keep the cause out of the screen, the logs and the traces until the end.
    #[arg(long)]
    blind: bool,
    /// Which lot `mystery` draws; default: another one each time.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Real time from the fault after which the round is over: 90s, 10m. Default: the scenario's limit to recover.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    limit: Option<Duration>,
    /// Append everything, the truth included, to this file or terminal.
    #[arg(long, value_name = "FILE")]
    instructor: Option<PathBuf>,
    /// Events and the outcome as JSON lines on stdout.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, library: &Library, lab: &Lab, folder: PathBuf) -> Result<ExitCode> {
    let settings = settings(arguments, library, folder)?;
    let mut signals = Signals::listen()?;
    let stop = Stop::default();
    let ender = stop.clone();
    let interruptions = tokio::spawn(async move {
        signals.next().await;
        output::say("\nending the game day: everything is put back (again to leave that to `gameday recover`)");
        ender.end();
        signals.next().await;
        ender.now();
    });
    let mut screen = Screen::new(std::io::stderr().is_terminal() && !arguments.json, settings.blind);
    let mut begun = false;
    let mut tell = |event: Event| {
        if arguments.json {
            output::data(serde_json::to_string(&event).unwrap_or_default());
            return;
        }
        // Not before: what is refused has no people on call.
        if !begun && matches!(event, Event::Happened(_)) {
            begun = true;
            screen.begin(&settings);
        }
        screen.show(&event);
    };
    let result = ::gamedays::run(lab, &settings, &stop, &mut tell).await;
    interruptions.abort();
    let outcome = result.map_err(refused)?;
    if arguments.json {
        output::data(serde_json::json!({ "event": "outcome", "outcome": outcome }).to_string());
    } else {
        screen.end(&outcome);
    }
    let written = super::archive::write(&settings.folder, &outcome)?;
    output::say(format!("report: {}", written.display()));
    Ok(exit(&outcome))
}

fn exit(outcome: &Outcome) -> ExitCode {
    if outcome.verdict.passed && outcome.not_restored.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn settings(arguments: &Arguments, library: &Library, folder: PathBuf) -> Result<Settings> {
    let mystery = arguments.scenario == MYSTERY;
    if arguments.seed.is_some() && !mystery {
        return Err(usage(
            format!("--seed draws a scenario, and `{}` is named", arguments.scenario),
            format!("name {MYSTERY} instead, or leave the seed out"),
        ));
    }
    if let Some(limit) = arguments.limit.filter(|limit| *limit < LEAST_LIMIT) {
        return Err(usage(
            format!("--for {} s leaves no time to find anything", limit.as_secs_f64()),
            "give at least 1s",
        ));
    }
    if let Some(file) = &arguments.instructor {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        opened.map_err(|error| {
            usage(format!("--instructor {} cannot be written: {error}", file.display()), "name a file or a terminal")
        })?;
    }
    let scenario: Scenario = if mystery {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        library.draw(arguments.seed.unwrap_or(u64::from(now.subsec_nanos())))
    } else {
        library.get(&arguments.scenario)
    }
    .map_err(|error| super::catalogue::unknown(&error))?;
    let runbook = scenario.runbook.as_ref().map(|id| runbook(&id.value)).transpose()?;
    Ok(Settings {
        called: if mystery { MYSTERY.to_owned() } else { scenario.id.clone() },
        scenario,
        blind: arguments.blind || mystery,
        runbook,
        autopilot: arguments.autopilot,
        limit: arguments.limit,
        instructor: arguments.instructor.clone(),
        folder,
    })
}

fn runbook(id: &str) -> Result<::runbooks::Runbook> {
    let folder = checkout::folder("ops/runbooks").context("there are no runbooks here")?;
    // As a person would name it from here: its blocks are evidence in the report.
    let here = std::env::current_dir().unwrap_or_default();
    let folder = folder.strip_prefix(&here).unwrap_or(&folder);
    let library =
        ::runbooks::Library::read(folder).map_err(|flaws| failure(flaws.to_string(), "mend the lines above"))?;
    let found = library.find(id).map_err(|error| failure(error.to_string(), "mend the scenario's `runbook`"))?;
    Ok(found.clone())
}

/// What mends it.
fn refused(error: RunError) -> anyhow::Error {
    let own = own_name();
    let hint = match &error {
        RunError::Busy(_) => format!("see it with `{own} gameday status`, end it with `{own} gameday abort`"),
        RunError::Sick(_) => format!("`{own} reset` brings the lab back to health"),
        RunError::Unfit(_) => "mend the scenario".to_owned(),
        RunError::Unrecovered(_) | RunError::CutShort => format!("`{own} gameday recover`, then `{own} reset`"),
        RunError::Io { .. } => format!("`{own} doctor` checks what the lab needs"),
    };
    let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    failure(format!("{error}{source}"), hint)
}
