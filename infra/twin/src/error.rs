//! Why the twin did not start, or ended. Each text is one line for the person who started it.

use std::{io, path::PathBuf};

use twin_database::{ProgramsError, StartError};

/// Why the twin did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state directory cannot be used.
    #[error("the state directory {} cannot be used; free space, change its permissions, or give another by --state-dir", path.display())]
    StateDir {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another twin holds the state directory.
    #[error("a twin with pid {pid} already uses {}; end it (`cargo lab down`) or give another --state-dir", path.display())]
    Taken {
        /// Which one.
        path: PathBuf,
        /// Who holds it.
        pid: String,
    },
    /// A port cannot be bound.
    #[error("port {port} on 127.0.0.1 cannot be used; end the program that has it or give another by {option}")]
    Port {
        /// Which one.
        port: u16,
        /// `--port` or `--db-port`.
        option: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No PostgreSQL.
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    /// The database did not start.
    #[error("the database did not start")]
    Database(#[source] StartError),
    /// Something of the operating system's failed.
    #[error("{operation}")]
    Io {
        /// What was tried.
        operation: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl RunError {
    /// 2 when the twin was asked for something impossible and started nothing, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::StateDir { .. } | Self::Taken { .. } | Self::Port { .. } | Self::Programs(_) => 2,
            Self::Database(_) | Self::Io { .. } => 1,
        }
    }
}
