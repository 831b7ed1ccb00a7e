//! `runbook`: the texts of `ops/runbooks`, and their blocks run against the lab.

mod text;

use std::{path::PathBuf, process::ExitCode};

use ::runbooks::{Event, Kind, Library, Outcome, Report, Runbook, Shell, check};
use anyhow::{Context, Result};
use clap::{Args, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser as _};

use super::env;
use crate::{checkout, lab::Lab, output, problem::failure, signals::Signals};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder with the runbooks. Default: `ops/runbooks` of the checkout.
    #[arg(long, global = true, env = "LAB_RUNBOOKS", value_name = "DIRECTORY")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One line for each runbook: id, severity, modes, alarms, title.
    List {
        /// As JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Print a runbook as it is written.
    Show {
        /// Its id.
        id: String,
    },
    /// Run a runbook's blocks against the lab: confirm, mitigate, verify. Exit code 1 when one is not as it expects; then
    /// those behind it are not run.
    Check(Check),
}

#[derive(Debug, Args)]
struct Check {
    /// The runbook's id.
    id: String,
    /// Only these kinds of blocks. `undo` is run only when it is named here.
    #[arg(long, value_delimiter = ',', value_name = "KIND", value_parser = kind())]
    only: Vec<Kind>,
    /// Look once instead of until it is so: is it this, right now?
    #[arg(long)]
    once: bool,
    /// The report as JSON on stdout.
    #[arg(long)]
    json: bool,
}

fn kind() -> impl clap::builder::TypedValueParser<Value = Kind> {
    let words = PossibleValuesParser::new(Kind::ALL.map(Kind::as_str));
    words.try_map(|word| Kind::from_word(&word).ok_or("no such kind of block"))
}

impl Arguments {
    /// Whether it needs a lab that runs.
    pub(crate) fn speaks_to_a_lab(&self) -> bool {
        matches!(self.command, Command::Check(_))
    }
}

pub(crate) async fn run(arguments: &Arguments, lab: &Lab) -> Result<ExitCode> {
    let folder = arguments.folder.clone().or_else(|| checkout::folder("ops/runbooks"));
    let folder = folder.ok_or_else(|| {
        failure("there are no runbooks here", "run it inside the checkout, or name their folder with --folder")
    })?;
    // As a person would name it from here.
    let here = std::env::current_dir().unwrap_or_default();
    let folder = folder.strip_prefix(&here).unwrap_or(&folder);
    let library = Library::read(folder).map_err(|flaws| failure(flaws.to_string(), "mend the lines above"))?;
    match &arguments.command {
        Command::List { json: true } => {
            let rows: Vec<_> = library.iter().map(text::row).collect();
            output::data(serde_json::to_string_pretty(&rows).context("writing the list")?);
        }
        Command::List { json: false } => output::data(text::list(library.iter())),
        Command::Show { id } => output::data(library.find(id).map_err(unknown)?.text.trim_end()),
        Command::Check(arguments) => {
            return follow(library.find(&arguments.id).map_err(unknown)?, arguments, lab).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(error: ::runbooks::NotFound) -> anyhow::Error {
    failure(error.to_string(), "`runbook list` shows what each is for")
}

async fn follow(runbook: &Runbook, arguments: &Check, lab: &Lab) -> Result<ExitCode> {
    let mut shell = Shell::new(env::variables(lab).await?).once(arguments.once);
    if let Lab::Laptop(ready) = lab {
        shell = shell.time_factor(ready.speed);
    }
    let default = [Kind::Confirm, Kind::Mitigate, Kind::Verify];
    let kinds = if arguments.only.is_empty() { &default[..] } else { &arguments.only };
    let mut signals = Signals::listen()?;
    let watch = |event: Event<'_>| match event {
        Event::Begins(step) if !arguments.json => output::say(format!("      {:8}  {} …", step.kind, step.purpose)),
        Event::Ended(step) if !arguments.json => output::data(text::step(step)),
        _ => {}
    };
    let report = tokio::select! {
        report = check(runbook, kinds, &shell, watch) => report,
        // Dropping the check ends the block that runs, whose process group the terminal's Ctrl-C does not reach.
        () = signals.next() => return Err(failure("interrupted; the block that ran was ended", "what it did stays done")),
    };
    if arguments.json {
        output::data(serde_json::to_string_pretty(&report).context("writing the report")?);
    } else {
        output::say(verdict(runbook, &report));
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verdict(runbook: &Runbook, report: &Report) -> String {
    match report.steps.iter().find(|step| step.outcome == Outcome::Failed) {
        None if report.steps.is_empty() => format!("{}: no such block is there", runbook.id),
        None => format!("{}: every block is as it expects", runbook.id),
        Some(step) if step.kind == Kind::Confirm => format!("{}: not confirmed, so nothing was changed", runbook.id),
        Some(step) => format!("{}: the {} at {} is not as it expects", runbook.id, step.kind, step.place),
    }
}
