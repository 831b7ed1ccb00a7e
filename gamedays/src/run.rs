//! One run: preflight → steady state → inject → detect → acknowledge → diagnose → mitigate → verify → rollback.

mod autopilot;
mod conditions;
mod drill;
mod incident;
mod preflight;
pub(crate) mod rollback;
mod signals;
mod steady;
mod traffic;
mod verdict;
mod view;
mod watch;

use std::{io, path::PathBuf, time::Duration};

use runbooks::Runbook;
use time::{OffsetDateTime, macros::format_description};
use tokio_util::sync::CancellationToken;

pub use self::view::{Event, FILE as STATUS_FILE, View};
use self::{drill::Drill, verdict::End};
use crate::{
    Busy, Lab, Lock, Outcome, history,
    journal::{Journal, Record},
    outcome::FILE,
    recover,
    scenario::Scenario,
};

/// How a run is held.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of all runs.
    pub folder: PathBuf,
    /// What is played.
    pub scenario: Scenario,
    /// What it is called in front of those who are to find the fault.
    pub called: String,
    /// Keep the cause from everybody but the instructor until the end.
    pub blind: bool,
    /// The scenario's runbook.
    pub runbook: Option<Runbook>,
    /// Follow the runbook instead of people.
    pub autopilot: bool,
    /// Real time from the fault after which the round is over; none is the scenario's own limit.
    pub limit: Option<Duration>,
    /// A file or terminal that is told everything.
    pub instructor: Option<PathBuf>,
}

/// How a run is ended from outside.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    end: CancellationToken,
    now: CancellationToken,
}

impl Stop {
    /// End it, and put everything back.
    pub fn end(&self) {
        self.end.cancel();
    }

    /// Do not wait for that; the journal remembers what is left.
    pub fn now(&self) {
        self.now.cancel();
    }
}

/// No run, or none that ended in order. What was changed is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another one goes on.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The lab is not healthy; nothing was touched.
    #[error("the lab is sick, and nothing was touched: {0}")]
    Sick(String),
    /// The scenario does not fit the lab; nothing was touched.
    #[error("the scenario does not fit the lab, and nothing was touched: {0}")]
    Unfit(String),
    /// An earlier run left something that cannot be put back.
    #[error("an earlier game day is not put back: {0}")]
    Unrecovered(String),
    /// A second interruption: the rollback was cut short.
    #[error("the rollback was cut short; `gameday recover` does what is left")]
    CutShort,
    /// A file of the run.
    #[error("{operation}")]
    Io {
        /// What was done.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl RunError {
    fn io(operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { operation, source }
    }
}

/// Holds a game day, from the first look to the report's data.
///
/// # Errors
/// [`RunError`] where it did not begin, or where the rollback was cut short. A failed round is an [`Outcome`].
pub async fn run(
    lab: &Lab,
    settings: &Settings,
    stop: &Stop,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Outcome, RunError> {
    let mut lock = Lock::take(&settings.folder)?;
    for recovered in recover::all(lab, &settings.folder).await.map_err(RunError::io("reading earlier runs"))? {
        if let Some(reason) = recovered.failure {
            return Err(RunError::Unrecovered(format!("{}: {reason}", recovered.run)));
        }
        tell(Event::Recovered { run: recovered.run });
    }
    preflight::check(lab, settings).await?;

    let started_at = OffsetDateTime::now_utc();
    let stamp = started_at.format(format_description!("[year][month][day]T[hour][minute][second]Z"));
    let id = format!("{}-{}", stamp.unwrap_or_default(), settings.called);
    let folder = settings.folder.join(&id);
    std::fs::create_dir_all(&folder).map_err(RunError::io("making the run's folder"))?;
    // What was played, whatever becomes of the file.
    let kept = folder.join("scenario.yaml");
    std::fs::write(kept, &settings.scenario.text).map_err(RunError::io("keeping the scenario"))?;
    let mut journal = Journal::open(&folder).map_err(RunError::io("opening the journal"))?;
    let begun = Record::Begun {
        run: id.clone(),
        scenario: settings.scenario.id.clone(),
        place: lab.place.clone(),
        speed: lab.speed,
    };
    journal.write(begun).map_err(RunError::io("writing the journal"))?;
    lock.name(&id).map_err(RunError::io("writing the lock"))?;

    let mut drill = Drill::new(lab, settings, id, folder.clone(), started_at, journal, tell);
    let end = drill.hold(stop).await;
    let not_restored = drill.roll_back(stop, &end).await?;
    let outcome = drill.outcome(&end, not_restored).await;
    let text = serde_json::to_vec_pretty(&outcome).unwrap_or_default();
    std::fs::write(folder.join(FILE), text).map_err(RunError::io("writing the outcome"))?;
    history::History::add(&settings.folder, &history::Line::of(&outcome))
        .map_err(RunError::io("writing the history"))?;
    Ok(outcome)
}

impl Drill<'_> {
    /// Everything up to the end of the good window, or to what ended it earlier.
    async fn hold(&mut self, stop: &Stop) -> End {
        if let Err(end) = self.prove_steady(stop).await {
            return end;
        }
        if let Err(end) = self.inject(stop).await {
            return end;
        }
        self.attend(stop).await
    }
}
