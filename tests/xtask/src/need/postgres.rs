//! PostgreSQL for the tests: `breakfix` finds or installs it, here as in `up`.

use std::{ffi::OsString, process::Command};

use anyhow::{Context as _, ensure};

use xtask::workspace;

/// The directory of its programs. Needs the workspace's binaries built.
pub(crate) fn obtain() -> anyhow::Result<OsString> {
    let breakfix = workspace::binary("debug", "breakfix");
    let output = Command::new(&breakfix).arg("postgres").stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("starting {}", breakfix.display()))?;
    ensure!(output.status.success(), "`breakfix postgres` says why above");
    let bin = String::from_utf8(output.stdout).context("the directory of PostgreSQL is not UTF-8")?;
    eprintln!("PostgreSQL: {}", bin.trim());
    Ok(bin.trim().into())
}
