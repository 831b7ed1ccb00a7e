//! Finds PostgreSQL's programs on this machine. Never downloads and never installs.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The oldest major that is looked for; earlier ones are past their end of life.
pub(crate) const OLDEST_MAJOR: u32 = 14;

/// A folder with `initdb` and `postgres`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// The folder.
    pub bin: PathBuf,
    /// Major version of `postgres` in it.
    pub major: u32,
}

/// No usable PostgreSQL. Each text is one line with the mend.
#[derive(Debug, thiserror::Error)]
pub enum ProgramsError {
    /// The given folder does not do.
    #[error(
        "{0} holds no runnable `initdb` and `postgres` of major {OLDEST_MAJOR} or later; give another folder by --pg-bin or LAB_PG_BIN"
    )]
    Unusable(PathBuf),
    /// Nothing was found.
    #[error(
        "no PostgreSQL of major {OLDEST_MAJOR} or later was found; install it (`apt-get install postgresql` or `brew install postgresql@17`) or give its folder by --pg-bin or LAB_PG_BIN"
    )]
    NotFound,
}

impl Programs {
    /// The programs in `given`, else those of the system: what `pg_config` names, Debian's versioned folders (highest major
    /// first), Homebrew, Postgres.app, PATH.
    ///
    /// # Errors
    /// [`ProgramsError`] when the given folder does not do, or nothing is found.
    pub fn find(given: Option<&Path>) -> Result<Self, ProgramsError> {
        if let Some(bin) = given {
            return Self::at(bin).ok_or_else(|| ProgramsError::Unusable(bin.to_owned()));
        }
        candidates().iter().find_map(|bin| Self::at(bin)).ok_or(ProgramsError::NotFound)
    }

    /// The programs in this folder, if they run and are new enough.
    fn at(bin: &Path) -> Option<Self> {
        // Links on the PATH point into the real folder, where the programs find their shared files.
        let bin = bin.join("initdb").canonicalize().ok()?.parent()?.to_owned();
        let major = major(&said(Command::new(bin.join("postgres")).arg("--version"))?)?;
        (major >= OLDEST_MAJOR).then_some(Self { bin, major })
    }
}

fn candidates() -> Vec<PathBuf> {
    let named = said(Command::new("pg_config").arg("--bindir")).map(|bin| PathBuf::from(bin.trim()));
    let versioned = versioned(Path::new("/usr/lib/postgresql"), "bin")
        .into_iter()
        .chain(versioned(Path::new("/opt/homebrew/opt"), "bin"))
        .chain(versioned(Path::new("/usr/local/opt"), "bin"))
        .chain(versioned(Path::new("/Applications/Postgres.app/Contents/Versions"), "bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    named.into_iter().chain(versioned).chain(std::env::split_paths(&path)).collect()
}

/// Folders `<root>/<something that ends in a number>/<inside>`, highest number first.
fn versioned(root: &Path, inside: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = name.strip_prefix("postgresql@").unwrap_or(&name).parse().ok()?;
            Some((number, entry.path().join(inside)))
        })
        .collect();
    found.sort_unstable_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, path)| path).collect()
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` is 15; `17beta1` is 17.
fn major(version: &str) -> Option<u32> {
    let number = version.rsplit_once("(PostgreSQL) ")?.1;
    let digits = number.find(|letter: char| !letter.is_ascii_digit()).map_or(number, |end| &number[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_is_read_from_the_version_line() {
        assert_eq!(major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(major("postgres 9.6"), None);
    }

    #[test]
    fn the_highest_version_comes_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["9", "15", "postgresql@17", "common"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let found = versioned(folder.path(), "bin");
        let wanted = ["postgresql@17", "15", "9"].map(|name| folder.path().join(name).join("bin"));
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_given_folder_without_the_programs_is_named() {
        let error = Programs::find(Some(Path::new("/nowhere/bin"))).expect_err("no such folder").to_string();
        assert!(error.contains("/nowhere/bin") && error.contains("--pg-bin"), "{error}");
    }
}
