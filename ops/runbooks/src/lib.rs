//! Runbooks that run: Markdown that a person follows on call and `breakfix runbook check` follows against a lab.
//!
//! Promises: a runbook is read whole or refused whole, with file and line of every flaw; each block is run by `bash` in a
//! process group of its own, ends at its limit with everything that it started, and is judged by the expectation that stands
//! in it. Refuses: to read the environment (whoever calls gives the variables), and to mitigate what was not confirmed.
//!
//! `ops/runbooks/README.md` describes the form of a runbook.

mod check;
mod document;
mod expectation;
mod flaw;
mod front;
mod library;
mod runbook;
mod script;
mod shell;

pub use check::{Event, Outcome, Report, StepReport, check};
pub use expectation::{Condition, Expectation};
pub use flaw::{Flaw, Flaws};
pub use library::{Library, NotFound};
pub use runbook::{Kind, Runbook, Severity, Step};
pub use shell::{Output, Shell};
