//! The twin's own log, for people, on standard error; and its last words.

use std::{error::Error, io::Write as _, process::ExitCode};

use tracing_subscriber::EnvFilter;

/// Starts the log. A filter that cannot be parsed falls back to `info`, and says so.
pub fn start(filter: &str) {
    let parsed = EnvFilter::try_new(filter);
    let complaint = parsed.as_ref().err().map(ToString::to_string);
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A line that cannot be written, on a full disk, is lost. The crate's default complains about it by `eprintln!`, which
    // panics on the same full disk and takes whoever logged along.
    // A second start in one process (tests) keeps the first.
    let _ = log.log_internal_errors(false).try_init();
    if let Some(complaint) = complaint {
        tracing::warn!(%complaint, "--log-level is not understood; using info");
    }
}

/// One line on standard error with every cause; the exit code is the one given.
pub fn refuse(error: &dyn Error, exit_code: u8) -> ExitCode {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let line = causes.fold(format!("twin: {error}"), |line, cause| format!("{line}: {cause}"));
    // Standard error may be closed; then nobody reads it.
    let _ = writeln!(std::io::stderr(), "{}", line.replace('\n', " "));
    ExitCode::from(exit_code)
}
