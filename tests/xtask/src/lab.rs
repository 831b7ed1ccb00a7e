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
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(workspace).join("target"), PathBuf::from);
    let breakfix = target.join("debug/breakfix");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--workspace", "--bins"]).current_dir(workspace);
    if breakfix.is_file() {
        // The first build takes minutes and shows its progress; later ones should not stand between a person and `status`.
        build.arg("--quiet");
    }
    ensure!(
        build.status().context("running cargo build")?.success(),
        "the lab does not build; the compiler says why above"
    );
    let error = Command::new(&breakfix).args(arguments).exec();
    Err(error).with_context(|| format!("starting {}", breakfix.display()))
}
