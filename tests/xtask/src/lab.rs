//! `cargo lab …`: builds the lab when it is to start, then becomes `breakfix …`.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use anyhow::Context as _;

use xtask::workspace::{self, cargo, run};

/// Replaces this process by `breakfix` with these arguments. `up` builds every binary of the workspace first; the other
/// commands speak to a lab that runs, and neither wait for the compiler nor depend on it.
///
/// # Errors
/// When the build fails or the binary cannot be started; otherwise it does not return.
pub(crate) fn exec(arguments: &[OsString]) -> anyhow::Result<()> {
    let breakfix = workspace::binary("debug", "breakfix");
    if !breakfix.is_file() || arguments.iter().any(|argument| argument == "up") {
        // The whole workspace at once: a selection of packages has other features, and would compile the SDKs a second time.
        run(&mut cargo(&["build", "--workspace", "--bins"]))
            .context("the lab does not build; the compiler says why above")?;
    }
    let error = Command::new(&breakfix).args(arguments).exec();
    Err(error).with_context(|| format!("starting {}", breakfix.display()))
}
