//! A runbook and its steps.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use contract::failure::ModeName;
use serde::{Deserialize, Serialize};

use crate::{Expectation, Flaws, document};

/// How grave the incident is that a runbook is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The service is down.
    Critical,
    /// Many requests fail, or a part of the service is down.
    High,
    /// Requests are slow, or a few fail.
    Medium,
    /// Nobody outside sees it yet.
    Low,
}

/// What a block is for. The order is the order in which they are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It tells this fault from its neighbours, changes nothing, and fails on a healthy system.
    Confirm,
    /// It repairs.
    Mitigate,
    /// It shows that the service is well.
    Verify,
    /// It takes back what the mitigation changed and should not stay.
    Undo,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 4] = [Self::Confirm, Self::Mitigate, Self::Verify, Self::Undo];

    /// The word behind `sh` in a fence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Mitigate => "mitigate",
            Self::Verify => "verify",
            Self::Undo => "undo",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether a block of this kind only looks, so that it may be run again until what it expects is so.
    pub const fn only_looks(self) -> bool {
        matches!(self, Self::Confirm | Self::Verify)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One block that runs.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is for.
    pub kind: Kind,
    /// Line of the block's first line in the file, from 1.
    pub line: usize,
    /// The first sentence of the paragraph before it.
    pub purpose: String,
    /// Shell text, as it is pasted.
    pub script: String,
    /// What must be so.
    pub expectation: Expectation,
}

/// One runbook.
#[derive(Clone, Debug)]
pub struct Runbook {
    /// The name for the command line; the file is `<id>.md`.
    pub id: String,
    /// The first heading.
    pub title: String,
    /// Failure modes that it mends.
    pub modes: Vec<ModeName>,
    /// Alarms that lead to it.
    pub alarms: Vec<String>,
    /// How grave it is.
    pub severity: Severity,
    /// Time in AWS that a practised person needs from the alarm to the verification.
    pub budget: Duration,
    /// The file.
    pub path: PathBuf,
    /// The whole file, as people read it.
    pub text: String,
    /// The blocks in the order of the file, which is the order of the kinds.
    pub steps: Vec<Step>,
}

impl Runbook {
    /// Reads a runbook's text; `path` is for messages and gives the id.
    ///
    /// # Errors
    /// Every flaw, with its line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Flaws> {
        document::parse(path, text)
    }

    /// The blocks of one kind.
    pub fn steps_of(&self, kind: Kind) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.kind == kind)
    }

    /// Names of the files under `$QUERIES` that the blocks use, without repetition.
    pub fn queries(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for rest in self.steps.iter().flat_map(|step| step.script.split("$QUERIES/").skip(1)) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(rest.len());
            if !names.contains(&&rest[..end]) {
                names.push(&rest[..end]);
            }
        }
        names
    }
}
