//! The whole lab from outside: the fixture that starts one, and the tools a person would use against it.
//!
//! Promises: real processes, the real aws CLI, the ports the operating system gives; a lab of one's own for every test; nothing
//! left running. Refuses: any look inside the twin or the application.

mod disk;
mod lab;
pub mod process;
mod reply;
mod sql;
mod traffic;
mod wait;

pub use disk::SmallDisk;
pub use lab::{Lab, binary, free_port, text};
pub use reply::Reply;
pub use sql::Session;
pub use traffic::Traffic;
pub use wait::until;
