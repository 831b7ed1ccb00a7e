//! Puts back what a run left that did not end in order.

use std::{io, path::Path};

use crate::{
    Lab, Lock,
    history::History as Runs,
    journal::{self, Journal, Record},
    lock::Busy,
    run::rollback,
};

/// What became of a run that was cut off.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Its id.
    pub run: String,
    /// What was taken back, and whether the lab is healthy; or that its lab is gone.
    pub words: String,
    /// Why it is not put back.
    pub failure: Option<String>,
}

/// Puts back every run that was cut off, the latest first.
///
/// # Errors
/// [`Busy`] while a run goes on, or when the folder cannot be read.
pub async fn recover(lab: &Lab, folder: &Path) -> Result<Vec<Recovered>, Busy> {
    let _lock = Lock::take(folder)?;
    all(lab, folder).await.map_err(|source| Busy::Io { path: folder.to_owned(), source })
}

/// As [`recover()`], for who has the lock.
pub(crate) async fn all(lab: &Lab, folder: &Path) -> io::Result<Vec<Recovered>> {
    let mut done = Vec::new();
    for (run, history) in journal::unclosed(folder)?.into_iter().rev() {
        let id = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut journal = Journal::open(&run)?;
        let recovered = |words: String, failure: Option<String>| Recovered { run: id.clone(), words, failure };
        let place = history.place().cloned();
        if let Some(place) = place.filter(|place| *place != lab.place) {
            if lab.place.has_replaced(&place) {
                let reason = "the lab that was changed has ended".to_owned();
                journal.write(Record::Lapsed { reason: reason.clone() })?;
                Runs::add_cut_off(&run, &history, &reason)?;
                done.push(recovered(reason, None));
            } else {
                let endpoint = place.endpoint.unwrap_or_else(|| "AWS".to_owned());
                done.push(recovered(
                    String::new(),
                    Some(format!("it belongs to another lab: {endpoint} in {}", place.region)),
                ));
            }
            continue;
        }
        let steps = history.to_undo();
        let (failures, health) = rollback::put_back(lab, &mut journal, &history, !steps.is_empty()).await;
        if failures.is_empty() {
            rollback::close(&mut journal, &health)?;
            Runs::add_cut_off(&run, &history, "put back afterwards")?;
        }
        let names: Vec<&str> = steps.iter().map(|(_, name, _)| name.as_str()).collect();
        let words = format!("taken back: {}", if names.is_empty() { "nothing".to_owned() } else { names.join(", ") });
        done.push(recovered(words, failures.first().cloned().or_else(|| health.err())));
    }
    Ok(done)
}

/// Closes the runs of a lab that has ended: a new one begins with nothing changed.
///
/// # Errors
/// As the system says.
pub fn lapse(folder: &Path) -> io::Result<usize> {
    let mut lapsed = 0;
    for (run, history) in journal::unclosed(folder)? {
        if history.place().is_some_and(|place| place.started_at.is_some()) {
            let reason = "a new lab was started".to_owned();
            Runs::add_cut_off(&run, &history, &reason)?;
            Journal::open(&run)?.write(Record::Lapsed { reason })?;
            lapsed += 1;
        }
    }
    Ok(lapsed)
}
