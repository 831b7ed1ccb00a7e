//! What is wrong with a scenario, and where.

use std::path::{Path, PathBuf};

/// A scenario that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {message}", .path.display())]
pub struct InvalidScenario {
    /// The file.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong, and the words that are known there.
    pub message: String,
}

impl InvalidScenario {
    pub(super) fn at(path: &Path, line: u64, column: u64, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, column, message: message.into() }
    }

    pub(super) fn of(path: &Path, error: &serde_saphyr::Error) -> Self {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
        let message = error.without_snippet().to_string();
        // The place stands before the message already.
        let message = message.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&message);
        Self::at(path, line, column, message)
    }
}
