//! A folder of runbooks.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Flaw, Flaws, Runbook};

/// The runbooks of a folder, by id.
#[derive(Clone, Debug)]
pub struct Library {
    runbooks: Vec<Runbook>,
}

/// There is no runbook of that id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no runbook `{id}`; there are {}", .known.join(", "))]
pub struct NotFound {
    /// What was asked for.
    pub id: String,
    /// Every id.
    pub known: Vec<String>,
}

impl Library {
    /// Reads every `*.md` of a folder but its README. One flawed file refuses the whole folder.
    ///
    /// # Errors
    /// Every flaw of every file; a folder or file that cannot be read is one too.
    pub fn read(folder: &Path) -> Result<Self, Flaws> {
        let unreadable = |path: &Path, error: &io::Error| {
            Flaws(vec![Flaw { path: path.to_owned(), line: 1, message: format!("it cannot be read: {error}") }])
        };
        let paths = files(folder).map_err(|error| unreadable(folder, &error))?;
        let (mut runbooks, mut flaws) = (Vec::new(), Vec::new());
        for path in paths {
            let read = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error));
            match read.and_then(|text| Runbook::parse(&path, &text)) {
                Ok(runbook) => runbooks.push(runbook),
                Err(Flaws(more)) => flaws.extend(more),
            }
        }
        if flaws.is_empty() { Ok(Self { runbooks }) } else { Err(Flaws(flaws)) }
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Runbook> {
        self.runbooks.iter()
    }

    /// The runbook of this id.
    ///
    /// # Errors
    /// When there is none; the error names those that there are.
    pub fn find(&self, id: &str) -> Result<&Runbook, NotFound> {
        self.runbooks.iter().find(|runbook| runbook.id == id).ok_or_else(|| NotFound {
            id: id.to_owned(),
            known: self.runbooks.iter().map(|runbook| runbook.id.clone()).collect(),
        })
    }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("README.md"));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labs_own_runbooks_are_sound() {
        let library = Library::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|flaws| panic!("{flaws}"));
        let error = library.find("no-such").expect_err("no such runbook");
        assert_eq!(error.known.len(), library.iter().count());
    }

    #[test]
    fn one_flawed_file_refuses_the_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("a.md"), "no runbook").expect("written");
        fs::write(folder.path().join("README.md"), "anything").expect("written");
        let Flaws(flaws) = Library::read(folder.path()).expect_err("flawed");
        assert!(flaws.iter().all(|flaw| flaw.path.ends_with("a.md")), "{flaws:?}");
        assert!(Library::read(&folder.path().join("nowhere")).is_err());
    }
}
