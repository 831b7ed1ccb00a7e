//! What people say to the run that goes on, from another terminal.

use std::path::{Path, PathBuf};

use ::gamedays::{Inbox, Order, Phase, STATUS_FILE, View, active, journal, scenario::Scenario};
use anyhow::{Context, Result};

use super::{read, screen};
use crate::{
    commands::own_name,
    output,
    problem::{failure, usage},
};

pub(super) fn ack(folder: &Path) -> Result<()> {
    let run = going(folder)?;
    if begun(&run)?.acknowledged {
        output::say("it is taken already");
        return Ok(());
    }
    say(&run, Order::Ack)?;
    output::say(format!("you have it; when you know what it is: {} gameday diagnose \"…\"", own_name()));
    Ok(())
}

pub(super) fn diagnose(folder: &Path, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        let example = format!("e.g. `{} gameday diagnose \"the disk of one task is full\"`", own_name());
        return Err(usage("a diagnosis says what is broken and why, and this one is empty", example));
    }
    let run = going(folder)?;
    begun(&run)?;
    say(&run, Order::Diagnose { text: text.to_owned() })?;
    output::say("noted; whether it is right is told at the end");
    Ok(())
}

pub(super) fn abort(folder: &Path) -> Result<()> {
    say(&going(folder)?, Order::Abort)?;
    output::say("the run ends and puts everything back");
    Ok(())
}

/// The hints are in the run's folder, so that the run that goes on and this one agree on them.
pub(super) fn hint(folder: &Path) -> Result<()> {
    let run = going(folder)?;
    begun(&run)?;
    let file = run.join("scenario.yaml");
    let scenario = Scenario::parse(&file, &read(&file)?)?;
    let mut inbox = Inbox::of(&run);
    let given = inbox.take()?.iter().filter(|message| message.order == Order::Hint).count();
    let Some(hint) = scenario.hints.get(given) else {
        output::say("there is no further hint");
        return Ok(());
    };
    inbox.say(&who(), Order::Hint)?;
    output::data(hint.text.trim());
    output::say(format!("({} points)", hint.penalty));
    Ok(())
}

pub(super) fn status(folder: &Path, as_json: bool) -> Result<()> {
    let run = going(folder)?;
    let text = read(&run.join(STATUS_FILE)).unwrap_or_default();
    if as_json {
        output::data(text);
        return Ok(());
    }
    match serde_json::from_str::<View>(&text) {
        Ok(view) => output::data(screen::lines(&view, &screen::Trail::default()).join("\n")),
        Err(_) => output::data("the run has just begun"),
    }
    Ok(())
}

fn say(run: &Path, order: Order) -> Result<()> {
    Inbox::of(run).say(&who(), order).context("speaking to the run")?;
    Ok(())
}

/// The state of a run that is past its steady state: before, there is nothing to find, and what is said would only cost.
fn begun(run: &Path) -> Result<View> {
    let view = read(&run.join(STATUS_FILE)).ok().and_then(|text| serde_json::from_str::<View>(&text).ok());
    view.filter(|view| view.phase >= Phase::Detect).ok_or_else(|| {
        failure(
            "nothing is broken yet: the steady state is being proved",
            format!("`{} gameday status` shows when it is past [inject]", own_name()),
        )
    })
}

fn who() -> String {
    std::env::var("USER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "somebody".to_owned())
}

/// The folder of the run that goes on.
fn going(folder: &Path) -> Result<PathBuf> {
    if let Some(run) = active(folder) {
        return Ok(run);
    }
    let own = own_name();
    let unclosed = journal::unclosed(folder).unwrap_or_default();
    Err(if unclosed.is_empty() {
        failure("no game day is going on", format!("begin one with `{own} gameday run SCENARIO`"))
    } else {
        failure("no game day is going on, and one was cut off", format!("put it back with `{own} gameday recover`"))
    })
}
