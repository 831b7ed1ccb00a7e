//! The programs a lab is made of: the twin and what it runs as images. They lie beside this one, where a workspace build
//! (`cargo lab`) and a release archive both put them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::problem::failure;

/// Absolute paths.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub twin: PathBuf,
    pub golden: PathBuf,
}

/// Takes the programs that lie next to this one.
///
/// # Errors
/// A program that is not there.
pub(crate) fn find() -> Result<Binaries> {
    let own = std::env::current_exe().context("asking the system where this program lies")?;
    find_in(own.parent().context("a program lies in a directory")?)
}

fn find_in(dir: &Path) -> Result<Binaries> {
    let program = |name: &str| {
        let path = dir.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(failure(format!("{} is missing", path.display()), "run `cargo lab up` in the workspace, which builds it"))
    };
    Ok(Binaries { twin: program("twin")?, golden: program("golden")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("twin"), "").expect("written");
        let error = find_in(dir.path()).expect_err("golden is not there");
        assert!(error.to_string().ends_with("golden is missing"), "{error}");
    }
}
