//! How one request ended.

use std::{error::Error, io, time::Duration};

use serde::Serialize;
use time::OffsetDateTime;

/// Why no whole answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Nothing listens at the address.
    ConnectionRefused,
    /// The connection could not be opened for another reason.
    Connect,
    /// The profile's timeout passed, counted from when the request was due.
    Timeout,
    /// The connection was closed or reset before the answer was whole.
    Closed,
    /// The answer was no HTTP.
    Protocol,
}

/// How one request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A whole answer with this status.
    Status(u16),
    /// No whole answer.
    Error(ErrorKind),
}

impl Outcome {
    /// Whether the caller got what was asked for: a whole answer below 400.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Status(status) if status < 400)
    }
}

/// One finished request, as an observer sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Index into the profile's targets.
    pub target: usize,
    /// When the request was due, by the wall clock.
    pub due_at: OffsetDateTime,
    /// From when it was due until the body's last byte, or the failure.
    pub latency: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

impl ErrorKind {
    /// Sorts a client error by what its source chain holds, never by its text.
    pub(crate) fn of(error: &(dyn Error + 'static), connecting: bool) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                match io.kind() {
                    io::ErrorKind::ConnectionRefused => return Self::ConnectionRefused,
                    _ if connecting => return Self::Connect,
                    _ => return Self::Closed,
                }
            }
            if let Some(http) = error.downcast_ref::<hyper::Error>() {
                if http.is_incomplete_message() || http.is_closed() || http.is_canceled() {
                    return Self::Closed;
                }
                if http.is_parse() {
                    return Self::Protocol;
                }
            }
            next = error.source();
        }
        if connecting { Self::Connect } else { Self::Closed }
    }
}
