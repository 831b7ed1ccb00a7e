//! The record of a run: what is about to be changed, what it was before, and that it was put back.
//!
//! Promises: a line is on the disk before the change that it tells of is made; a line that was cut off by a crash is ignored.
//! Refuses: to forget. A run is closed only by the record that everything is restored, or that its lab is gone.

mod record;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use time::OffsetDateTime;

pub use self::record::{Record, Stamped, Undo};

/// Name of the file in a run's folder.
pub const FILE: &str = "journal.jsonl";

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens a run's journal, to add to it.
    ///
    /// # Errors
    /// As the system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        // A file whose name is not on the disk is no record.
        File::open(folder)?.sync_all()?;
        let mut journal = Self { file };
        // What a crash cut off must not swallow the next line.
        if std::fs::read(&path)?.last().is_some_and(|last| *last != b'\n') {
            journal.file.write_all(b"\n")?;
        }
        Ok(journal)
    }

    /// Writes a record and waits until it is on the disk.
    ///
    /// # Errors
    /// As the system says; then the change must not be made.
    pub fn write(&mut self, record: Record) -> io::Result<()> {
        let stamped = Stamped { at: OffsetDateTime::now_utc(), record };
        let mut line = serde_json::to_vec(&stamped)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}

/// What a journal says.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In the order in which they were written.
    pub records: Vec<Stamped>,
}

impl History {
    /// Reads a run's journal; none is an empty one.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(folder: &Path) -> io::Result<Self> {
        match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Self {
        Self { records: text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect() }
    }

    /// Whether there is nothing left to do.
    pub fn is_closed(&self) -> bool {
        self.records.iter().any(|stamped| matches!(stamped.record, Record::Restored { .. } | Record::Lapsed { .. }))
    }

    /// The lab that was changed.
    pub fn place(&self) -> Option<&crate::Place> {
        self.records.iter().find_map(|stamped| match &stamped.record {
            Record::Begun { place, .. } => Some(place),
            _ => None,
        })
    }

    /// What must be undone, the last change first. A change that may or may not have been made is among them: every undo can be
    /// done twice.
    pub fn to_undo(&self) -> Vec<(usize, String, Undo)> {
        let mut open: Vec<(usize, String, Undo)> = Vec::new();
        for stamped in &self.records {
            match &stamped.record {
                Record::Changing { step, name, undo } => {
                    open.retain(|(other, _, _)| other != step);
                    open.push((*step, name.clone(), undo.clone()));
                }
                Record::Undone { step } => open.retain(|(other, _, _)| other != step),
                _ => {}
            }
        }
        open.reverse();
        open
    }
}

/// The folders of runs under `folder` whose journals are not closed, oldest first.
///
/// # Errors
/// As the system says.
pub fn unclosed(folder: &Path) -> io::Result<Vec<(PathBuf, History)>> {
    let mut found = Vec::new();
    for run in runs(folder)? {
        let history = History::read(&run)?;
        if !history.records.is_empty() && !history.is_closed() {
            found.push((run, history));
        }
    }
    Ok(found)
}

/// The folders of all runs, oldest first.
///
/// # Errors
/// As the system says.
pub fn runs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut runs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join(FILE).is_file() {
            runs.push(path);
        }
    }
    runs.sort();
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    fn place() -> Place {
        Place { endpoint: None, region: "us-west-2".into(), started_at: None }
    }

    fn parameter(value: &str) -> Undo {
        Undo::Parameter { name: "/golden/failure_mode".into(), value: value.into() }
    }

    #[test]
    fn what_was_changed_is_undone_in_reverse_and_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut journal = Journal::open(folder.path()).expect("opened");
        let begun = Record::Begun { run: "r".into(), scenario: "s".into(), place: place(), speed: 10.0 };
        for record in [
            begun,
            Record::Changing { step: 0, name: "a".into(), undo: parameter("none") },
            Record::Changed { step: 0 },
            Record::Changing { step: 1, name: "b".into(), undo: parameter("hang") },
        ] {
            journal.write(record).expect("written");
        }
        let history = History::read(folder.path()).expect("read");
        assert_eq!(history.place(), Some(&place()));
        let names: Vec<String> = history.to_undo().into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["b", "a"], "what was only about to be changed is undone too");
        journal.write(Record::Undone { step: 1 }).expect("written");
        let history = History::read(folder.path()).expect("read");
        assert_eq!(history.to_undo().len(), 1);
        assert!(!history.is_closed());
        assert_eq!(
            unclosed(folder.path().parent().expect("a parent"))
                .expect("read")
                .iter()
                .filter(|(run, _)| run == folder.path())
                .count(),
            1
        );
        journal.write(Record::Restored { healthy: true, reason: None }).expect("written");
        assert!(History::read(folder.path()).expect("read").is_closed());
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_no_line_and_harms_no_other() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, "{\"at\":\"2026-11-21T12:00:00Z\",\"record\":\"chang").expect("written");
        let mut journal = Journal::open(folder.path()).expect("opened");
        journal.write(Record::Changing { step: 0, name: "a".into(), undo: parameter("none") }).expect("written");
        assert_eq!(History::read(folder.path()).expect("read").to_undo().len(), 1);
    }

    proptest::proptest! {
        /// However a file is cut, reading it never fails, and never invents a change.
        #[test]
        fn any_cut_is_read(cut in 0_usize..400) {
            let record = Record::Changing { step: 0, name: "ä".into(), undo: parameter("none") };
            let stamped = Stamped { at: OffsetDateTime::UNIX_EPOCH, record };
            let line = serde_json::to_string(&stamped).expect("JSON");
            let text = format!("{line}\n{line}\n");
            let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            proptest::prop_assert!(History::parse(&text[..cut]).to_undo().len() <= 1);
        }
    }
}
