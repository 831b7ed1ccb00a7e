//! Game days: breaks the service by a scenario, measures how people find and mend it, and puts everything back.
//!
//! Promises: nothing is broken in a sick lab, or before a steady state was proved under load; the undo of every change is on the
//! disk before the change is made, and rollback runs after success, failure, abort and – by [`recover()`] – a crash; every time
//! in a result has its evidence. Refuses: two runs at once, a scenario with a flaw, and a recovery that served no traffic.
//!
//! It is a client of the AWS APIs and of the balancer, and asks neither what stands behind them. The one exception are outages of
//! AWS services, which a scenario may ask the laptop for and AWS has not.

mod entry;
mod history;
mod inbox;
mod inject;
pub mod journal;
mod lab;
mod lock;
mod outcome;
mod recover;
pub mod report;
mod run;
pub mod scenario;
mod score;

pub use entry::{Entry, Kind, Phase};
pub use history::{Course, History, Line, Trend};
pub use inbox::{Inbox, Message, Order};
pub use lab::{Lab, Place};
pub use lock::{Busy, Lock, active};
pub use outcome::{Band, FILE as OUTCOME_FILE, Measured, Moment, Outcome, Sample, Verdict};
pub use recover::{Recovered, lapse, recover};
pub use run::{Event, RunError, STATUS_FILE, Settings, Stop, View, run};
pub use score::{Item, Score};
