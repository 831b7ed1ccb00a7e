//! The virtual environment with boto3 and the aws CLI, kept as long as the pins are the same.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use xtask::workspace;

/// Where the tests find their tools.
pub(crate) struct Environment {
    /// Python with boto3.
    pub(crate) python: PathBuf,
    /// The aws CLI.
    pub(crate) aws: PathBuf,
}

/// The environment, made or renewed when `tests/requirements.txt` is not what it was made from.
pub(crate) fn obtain() -> anyhow::Result<Environment> {
    let folder = workspace::path(".venv");
    let requirements = workspace::path("tests/requirements.txt");
    let wanted = fs::read_to_string(&requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let stamp = folder.join("made-from-requirements.txt");
    let found = Environment { python: folder.join("bin/python"), aws: folder.join("bin/aws") };
    let kept = fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted);
    // A stamp alone proves nothing when the system's Python was replaced under the environment.
    if kept && found.aws.is_file() && works(&found.python) {
        eprintln!("Python: {} (kept)", folder.display());
        return Ok(found);
    }
    eprintln!("Python: making {}", folder.display());
    make(&folder)?;
    let mut pip = Command::new(&found.python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&requirements);
    workspace::run(&mut pip).context("installing tests/requirements.txt; is the package index reachable?")?;
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(found)
}

fn works(python: &Path) -> bool {
    Command::new(python).args(["-c", "import boto3"]).output().is_ok_and(|output| output.status.success())
}

fn make(folder: &Path) -> anyhow::Result<()> {
    let make = || {
        // --clear: what an earlier attempt left half done is no environment.
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(folder);
        workspace::run(&mut command)
    };
    if !workspace::has("python3") {
        super::install(&["python3", "python3-venv"], &["python@3.13"]).context("installing Python")?;
    }
    // Debian splits ensurepip off into python3-venv.
    make().or_else(|_| super::install(&["python3-venv"], &[]).and_then(|()| make())).context("making .venv")
}
