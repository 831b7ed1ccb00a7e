//! `golden`: the patient. A small production-shaped web service that is broken on purpose and repaired by people.
//!
//! Entry points: [`App::build`] makes the state, [`serve`] runs it on two listeners until a future ends, and [`Edge`] is the
//! public service that tests call without a socket. Invariants: the failure mode is read on every request
//! without a lock (`failure`); no blocking call runs on an async worker, except where the mode `blocked_runtime` does
//! exactly that (`modes`); the environment is read by `main` and the SDKs alone; nothing that a caller sees or a log keeps
//! holds a secret.

mod admin;
mod aws;
pub mod config;
mod database;
mod edge;
mod error;
mod failure;
mod health;
pub mod healthcheck;
mod http_get;
pub mod identity;
mod lifecycle;
mod modes;
mod router;
mod routes;
mod serve;
mod state;
pub mod telemetry;
mod work;

pub use config::Config;
pub use database::DatabaseError;
pub use edge::Edge;
pub use identity::Identity;
pub use serve::{Listeners, ServeError, serve};
pub use state::App;
pub use telemetry::Telemetry;
