//! `cargo lab …`: builds what changed, then becomes `breakfix …`.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command};

use anyhow::Context as _;

use crate::workspace::{self, cargo, run};

/// Builds every binary of the workspace, then replaces this process by `breakfix` with these arguments.
///
/// # Errors
/// When the build fails or the binary cannot be started; otherwise it does not return.
pub(crate) fn exec(arguments: &[OsString]) -> anyhow::Result<()> {
    let breakfix = workspace::binary("breakfix");
    // The whole workspace at once: a selection of packages has other features, and would compile the SDKs a second time.
    let mut build = cargo(&["build", "--workspace", "--bins"]);
    if breakfix.is_file() {
        // The first build takes minutes and shows its progress; later ones should not stand between a person and `status`.
        build.arg("--quiet");
    }
    run(&mut build).context("the lab does not build; the compiler says why above")?;
    let error = Command::new(&breakfix).args(arguments).exec();
    Err(error).with_context(|| format!("starting {}", breakfix.display()))
}
