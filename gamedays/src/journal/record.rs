//! One line of the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Entry, Place};

/// A record and when it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stamped {
    /// By the wall clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What.
    #[serde(flatten)]
    pub record: Record,
}

/// What a journal holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A run begins.
    Begun {
        /// Its id.
        run: String,
        /// The scenario's id.
        scenario: String,
        /// Which lab.
        place: Place,
        /// Its time factor.
        speed: f64,
    },
    /// A change is about to be made.
    Changing {
        /// Its place in the scenario.
        step: usize,
        /// Its name.
        name: String,
        /// What takes it back.
        undo: Undo,
    },
    /// It was made.
    Changed {
        /// Its place.
        step: usize,
    },
    /// It was taken back.
    Undone {
        /// Its place.
        step: usize,
    },
    /// It could not be taken back.
    UndoFailed {
        /// Its place.
        step: usize,
        /// Why.
        reason: String,
    },
    /// Something happened.
    Happened {
        /// What.
        entry: Entry,
    },
    /// Everything is put back.
    Restored {
        /// Whether the lab was then seen healthy.
        healthy: bool,
        /// Why not.
        reason: Option<String>,
    },
    /// The lab that was changed is gone, and everything with it.
    Lapsed {
        /// How that is known.
        reason: String,
    },
}

/// What takes a change back. Each can be done twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Undo {
    /// Write the value that the parameter had.
    Parameter {
        /// Name of the parameter.
        name: String,
        /// The value.
        value: String,
    },
    /// Run commands.
    Aws {
        /// Shell text.
        run: String,
        /// The previous values, by their variables.
        variables: BTreeMap<String, String>,
    },
    /// Deploy the revision that was there, if the service still has the one that was made.
    Deploy {
        /// The revision before.
        previous: String,
        /// The revision that was made; deregistered.
        made: String,
    },
    /// End the outage of a service.
    Outage {
        /// The service.
        service: String,
    },
    /// Nothing.
    Nothing {
        /// Why the change may stay.
        because: String,
    },
}
