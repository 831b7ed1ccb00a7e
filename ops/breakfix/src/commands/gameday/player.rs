//! What people say to the run that goes on, from another terminal.

use std::path::{Path, PathBuf};

use ::gamedays::{Inbox, Order, View, active, journal, scenario::Scenario};
use anyhow::{Context, Result};

use super::{read, screen};
use crate::{commands::own_name, output, problem::failure};

pub(super) fn ack(folder: &Path) -> Result<()> {
    say(folder, Order::Ack)?;
    output::say(format!("you have it; when you know what it is: {} gameday diagnose \"…\"", own_name()));
    Ok(())
}

pub(super) fn diagnose(folder: &Path, text: &str) -> Result<()> {
    say(folder, Order::Diagnose { text: text.to_owned() })?;
    output::say("noted; whether it is right is told at the end");
    Ok(())
}

pub(super) fn abort(folder: &Path) -> Result<()> {
    say(folder, Order::Abort)?;
    output::say("the run ends and puts everything back");
    Ok(())
}

/// The hints are in the run's folder, so that the run that goes on and this one agree on them.
pub(super) fn hint(folder: &Path) -> Result<()> {
    let run = going(folder)?;
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
    let text = read(&run.join("status.json")).unwrap_or_default();
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

fn say(folder: &Path, order: Order) -> Result<()> {
    let run = going(folder)?;
    Inbox::of(&run).say(&who(), order).context("speaking to the run")?;
    Ok(())
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
