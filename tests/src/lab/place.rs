//! Where a lab keeps its state.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::SmallDisk;

pub(super) enum Place {
    /// A temporary folder.
    Folder(tempfile::TempDir),
    /// A disk of its own, which only those see who enter it.
    Disk(SmallDisk),
}

impl Place {
    /// The state directory, as the lab's programs name it.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder.path(),
            Self::Disk(disk) => disk.path(),
        }
    }

    /// The same, as the test names it.
    pub(super) fn outside(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.path().to_owned(),
            Self::Disk(disk) => disk.outside(),
        }
    }

    /// A program that sees the state directory.
    pub(super) fn command(&self, program: &Path) -> Command {
        match self {
            Self::Folder(_) => Command::new(program),
            Self::Disk(disk) => disk.enter(program),
        }
    }
}
