//! What people and programs read: data on stdout, talk on stderr.
//!
//! The only file that writes to either. A closed pipe is no failure: `breakfix status | head -1`.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::problem::Problem;

/// One line (or more) of data.
pub(crate) fn data(text: impl AsRef<str>) {
    let _ = more_data(text);
}

/// As [`data`]; false when nobody reads any more, so that an endless command has an end.
pub(crate) fn more_data(text: impl AsRef<str>) -> bool {
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{}", text.as_ref()).and_then(|()| stdout.flush());
    !written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// One line (or more) for a person.
pub(crate) fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// An error with its causes on one line, and the mend on the next where there is one.
pub(crate) fn error(error: &anyhow::Error) {
    let mut text = format!("error: {error:#}");
    if let Some(hint) = Problem::of(error).and_then(|problem| problem.hint.as_deref()) {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    say(text);
}

/// A line that stays in place on a terminal; elsewhere a new line is written when the text changes, so that a log stays short.
#[derive(Default)]
pub(crate) struct LiveLine {
    last: String,
}

impl LiveLine {
    pub(crate) fn show(&mut self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        if stderr.is_terminal() {
            // Carriage return, text, and the rest of the old line erased.
            let _ = write!(stderr, "\r{text}\x1b[K").and_then(|()| stderr.flush());
        } else if text != self.last {
            let _ = writeln!(stderr, "{text}");
        }
        text.clone_into(&mut self.last);
    }

    /// Leaves the line standing; what is said next begins below it.
    pub(crate) fn end(&mut self) {
        if !self.last.is_empty() && std::io::stderr().is_terminal() {
            say("");
        }
        self.last.clear();
    }
}
