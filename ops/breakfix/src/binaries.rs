//! The programs a lab is made of: the twin and what it runs as images. Built first when we come from the workspace.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::problem::failure;

/// Absolute paths.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub twin: PathBuf,
    pub golden: PathBuf,
}

/// Builds when this program lies in a workspace's target directory and `build` allows, then takes what lies next to it.
///
/// # Errors
/// A failed build, or a program that is not there.
pub(crate) async fn obtain(build: bool) -> Result<Binaries> {
    let own = std::env::current_exe().context("asking the system where this program lies")?;
    let dir = own.parent().context("a program lies in a directory")?.to_owned();
    let workspace = workspace(&dir);
    if let Some(workspace) = workspace.as_deref().filter(|_| build) {
        cargo_build(workspace, &dir).await?;
    }
    let program = |name: &str| {
        let path = dir.join(name);
        if path.is_file() {
            return Ok(path);
        }
        let hint = match &workspace {
            Some(_) => format!("leave --no-build out, or run: cargo build --package {name}"),
            None => format!("copy `{name}` next to `breakfix`, or run `cargo lab up` in the workspace"),
        };
        Err(failure(format!("{} is missing", path.display()), hint))
    };
    Ok(Binaries { twin: program("twin")?, golden: program("golden")? })
}

/// The workspace this program was built from, when it still lies in a target directory (cargo puts `deps` beside it).
pub(crate) fn workspace(dir: &Path) -> Option<PathBuf> {
    dir.join("deps").is_dir().then_some(())?;
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
    dir.ancestors()
        .chain(built_from.ancestors())
        .find(|dir| dir.join("infra/twin/Cargo.toml").is_file())
        .map(Into::into)
}

async fn cargo_build(workspace: &Path, dir: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The whole workspace at once: a selection of packages has other features, and would compile the SDKs a second time.
    command.args(["build", "--workspace", "--bins"]).current_dir(workspace).kill_on_drop(true).stdin(Stdio::null());
    // What was built in release is asked for in release: the programs lie in the same directory.
    match dir.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => {}
        Some(profile) => {
            command.args(["--profile", profile]);
        }
    }
    if let Some(target) = dir.parent() {
        command.arg("--target-dir").arg(target);
    }
    let status = command.status().await;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => {
            Err(failure("the build failed", "mend what cargo says above; `--no-build` starts what was built before"))
        }
        Err(error) => Err(failure(
            format!("cargo did not start: {error}"),
            "install Rust from https://rustup.rs, or use --no-build with programs that are built",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_target_directory_has_a_workspace() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(workspace(dir.path()), None);
        std::fs::create_dir(dir.path().join("deps")).expect("created");
        let workspace = workspace(dir.path()).expect("this crate's own");
        assert!(workspace.join("ops/breakfix").is_dir());
    }
}
