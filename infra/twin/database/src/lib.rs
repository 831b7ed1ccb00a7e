//! The lab's database: a real PostgreSQL that the twin starts, RDS in front of it, and the rotation of the secret that opens it.
//!
//! Promises: every start is a new, empty data directory with a master role and the application's role; the server listens on
//! loopback only and never outlives the twin; a rotation is done only after a real log-in with the new password.
//! Refuses: durability (`fsync` is off) and any RDS action beyond describing, rebooting, stopping and starting the instance.

mod bootstrap;
mod cluster;
mod credentials;
mod database;
mod measure;
mod owner;
mod programs;
pub mod rds;
pub mod secrets;
mod session;
mod supervisor;

pub use credentials::Credentials;
pub use database::{Database, Event, Settings, Status};
pub use measure::{Io, Measurement};
pub use programs::{Programs, ProgramsError};
pub use rds::Rds;
pub use secrets::SecretsManager;
pub use session::SessionError;

/// The RDS identifier of the one instance, and of the cluster it stands for.
pub const IDENTIFIER: &str = "golden-db";
/// The application's database, and its role. Also the names in the first secret.
pub const APPLICATION: &str = "golden";
/// The superuser that RDS calls the master user.
pub const MASTER: &str = "postgres";

/// A database that could not be started. Each text is one line for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder or file could not be made or read.
    #[error("{operation} {path}")]
    File {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: std::path::PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// A program could not be run at all. As root that user must be able to reach the program's folder.
    #[error("cannot run {program} as the user {user}")]
    Spawn {
        /// Full path.
        program: std::path::PathBuf,
        /// Operating system user.
        user: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// A program ran and failed.
    #[error("{program} failed: {last_words}")]
    Failed {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// The last line it wrote, or its exit status.
        last_words: String,
    },
    /// The server runs but did not admit the master role in time.
    #[error("PostgreSQL on port {port} does not admit its master role after {patience_s} s")]
    NotReady {
        /// Its port.
        port: u16,
        /// How long was waited.
        patience_s: u64,
        /// The last log-in's error.
        #[source]
        source: SessionError,
    },
    /// The roles or the database could not be made.
    #[error("the new database could not be filled with its roles")]
    Bootstrap(#[source] SessionError),
    /// No system user to run as.
    #[error(
        "PostgreSQL refuses to run as root and the system has neither a user `postgres` nor `nobody`; run the lab as an ordinary user"
    )]
    NoUser,
}
