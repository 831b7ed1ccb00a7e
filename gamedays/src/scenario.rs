//! A scenario: what breaks, how it shows, what the truth is, and by when it must be found and mended.
//!
//! Promises: a file is read whole or refused whole, with line and column of the flaw and the words that are known there.
//! All lengths are AWS time; a run divides them by the lab's factor. Refuses: a change without its undo.

mod answer;
mod flaw;
mod inject;
mod length;
mod library;
mod outage;
mod probe;
mod schema;
mod signals;
mod thresholds;
mod traffic;

use std::{collections::BTreeMap, path::Path};

use runbooks::Severity;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

pub(crate) use self::answer::says;
pub use self::{
    answer::{Answer, Truth},
    flaw::InvalidScenario,
    inject::{Action, Revision, Step},
    length::Length,
    library::{Library, LibraryError, MYSTERY},
    outage::{Outage, OutageKind},
    probe::{Probe, Quantity},
    schema::schema,
    signals::{Signals, TargetSignal},
    thresholds::{Limits, Thresholds},
    traffic::TrafficProfile,
};

/// One drill.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name without its ending.
    #[serde(skip)]
    pub id: String,
    /// The file's text, which a run keeps beside its journal.
    #[serde(skip)]
    pub text: String,
    /// One line for those who may know what it is about.
    pub title: String,
    /// What the people on call are told. It gives nothing away.
    pub brief: String,
    /// How grave it is; gives the thresholds.
    #[schemars(with = "schema::SeverityWord")]
    pub severity: Severity,
    /// Who takes part, and what each one does.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What is asked of the service all the while.
    #[serde(default)]
    pub load: TrafficProfile,
    /// What must hold before anything is broken, and again at the end.
    pub steady_state: SteadyState,
    /// What is changed, in order. The last step is the fault; those before it prepare. Empty: nothing is wrong.
    #[serde(default)]
    pub inject: Vec<Step>,
    /// Where it shows.
    #[serde(default)]
    pub expect: Signals,
    /// What a diagnosis must say.
    pub truth: Truth,
    /// Help, each for its price.
    #[serde(default)]
    pub hints: Vec<Hint>,
    /// Id of the runbook that mends it.
    #[schemars(with = "Option<String>")]
    pub runbook: Option<Spanned<String>>,
    /// By when it must be detected and mended, where the severity's own are wrong.
    #[serde(default)]
    pub thresholds: Option<Thresholds>,
    /// For how long the service must be well.
    #[serde(default = "SteadyState::default_window")]
    pub verify_window: Length,
    /// What looks like the cause and is not. A diagnosis that names one gets less.
    #[serde(default)]
    pub decoys: Vec<Decoy>,
}

/// What holds of a well service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SteadyState {
    /// For how long it is proved under load.
    #[serde(default = "SteadyState::default_window")]
    pub window: Length,
    /// All of these.
    pub probes: Vec<Probe>,
}

impl SteadyState {
    fn default_window() -> Length {
        Length::minutes(1)
    }

    /// The bound of each quantity, whichever side it is on.
    pub(crate) fn bounds(&self) -> BTreeMap<Quantity, f64> {
        self.probes.iter().filter_map(|probe| Some((probe.quantity, probe.at_most.or(probe.at_least)?))).collect()
    }
}

/// One hint.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// What it says.
    pub text: String,
    /// Points that it costs.
    pub penalty: u32,
}

/// A wrong answer that is easily given.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decoy {
    /// What a diagnosis would say.
    pub says: String,
    /// Why it is not that.
    pub because: String,
}

impl Scenario {
    /// Reads a scenario's text; `path` gives the id and is for messages.
    ///
    /// # Errors
    /// The first flaw, with its place.
    pub fn parse(path: &Path, text: &str) -> Result<Self, InvalidScenario> {
        let mut scenario: Self = serde_saphyr::from_str(text).map_err(|error| InvalidScenario::of(path, &error))?;
        text.clone_into(&mut scenario.text);
        scenario.id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if scenario.steady_state.probes.is_empty() {
            return Err(InvalidScenario::at(path, 1, 1, "a scenario needs at least one probe in `steady_state`"));
        }
        if !scenario.inject.is_empty() && scenario.runbook.is_none() {
            return Err(InvalidScenario::at(path, 1, 1, "a scenario that breaks something names its `runbook`"));
        }
        Ok(scenario)
    }

    /// Whether nothing is wrong in this one.
    pub fn is_without_fault(&self) -> bool {
        self.inject.is_empty()
    }

    /// By when it must be detected and mended.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds.unwrap_or_else(|| Thresholds::of(self.severity))
    }
}
