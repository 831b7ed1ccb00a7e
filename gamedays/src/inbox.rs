//! How a second terminal speaks to a run: lines that are appended to a file in its folder.
//!
//! A file and no socket, so that what was said survives a crash and is evidence: each line has its own time.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Name of the file in a run's folder.
const FILE: &str = "inbox.jsonl";

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// I have it.
    Ack,
    /// It is this.
    Diagnose {
        /// In one's own words.
        text: String,
    },
    /// Give me a hint.
    Hint,
    /// End it.
    Abort,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// When it was said.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// By whom: the user's name.
    pub by: String,
    /// What.
    #[serde(flatten)]
    pub order: Order,
}

/// The file of a run, and how far it was read.
#[derive(Clone, Debug)]
pub struct Inbox {
    path: PathBuf,
    read: u64,
}

impl Inbox {
    /// The inbox of the run in this folder, from its beginning.
    pub fn of(run: &Path) -> Self {
        Self { path: run.join(FILE), read: 0 }
    }

    /// Says something.
    ///
    /// # Errors
    /// As the system says.
    pub fn say(&self, by: &str, order: Order) -> io::Result<Message> {
        let message = Message { at: OffsetDateTime::now_utc(), by: by.to_owned(), order };
        let mut line = serde_json::to_vec(&message)?;
        line.push(b'\n');
        // One write of one line at the end: what two terminals say does not mix.
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(&line)?;
        file.sync_data()?;
        Ok(message)
    }

    /// What was said since the last look. A line that is not whole is left for the next one; one that is no message is skipped.
    ///
    /// # Errors
    /// As the system says.
    pub fn take(&mut self) -> io::Result<Vec<Message>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        let lines = text[..whole].split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard_once_and_in_order() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut inbox = Inbox::of(folder.path());
        assert_eq!(inbox.take().expect("nothing yet"), []);
        let other = Inbox::of(folder.path());
        other.say("ada", Order::Ack).expect("said");
        other.say("ada", Order::Diagnose { text: "it's \"DNS\"\nagain".into() }).expect("said");
        let heard: Vec<Order> = inbox.take().expect("read").into_iter().map(|message| message.order).collect();
        assert_eq!(heard, [Order::Ack, Order::Diagnose { text: "it's \"DNS\"\nagain".into() }]);
        assert_eq!(inbox.take().expect("read"), []);
        std::fs::write(folder.path().join(FILE), "").expect("emptied");
    }
}
