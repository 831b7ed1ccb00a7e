//! `cargo lab …`: builds what changed, then becomes `breakfix …`.

use std::{env, ffi::OsString, os::unix::process::CommandExt as _, path::PathBuf, process::Command};

use anyhow::{Context as _, ensure};

/// Builds every binary of the workspace, then replaces this process by `breakfix` with these arguments.
///
/// # Errors
/// When the build fails or the binary cannot be started; otherwise it does not return.
pub(crate) fn exec(arguments: &[OsString]) -> anyhow::Result<()> {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    // The whole workspace at once: a selection of packages has other features, and would compile the SDKs a second time.
    let build =
        Command::new(env!("CARGO")).args(["build", "--workspace", "--bins", "--quiet"]).current_dir(workspace).status();
    ensure!(build.context("running cargo build")?.success(), "the lab does not build; the compiler says why above");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(workspace).join("target"), PathBuf::from);
    let breakfix = target.join("debug/breakfix");
    // Everything is built by now; `up` need not ask again.
    let error = Command::new(&breakfix).args(arguments).env("LAB_NO_BUILD", "true").exec();
    Err(error).with_context(|| format!("starting {}", breakfix.display()))
}
