//! Puts everything back: the undo of every change, then the lab's own reset, then a look.

use reset::Options;

use super::{RunError, Stop, drill::Drill, verdict::End};
use crate::{
    Entry, Kind, Lab, Phase, inject,
    journal::{History, Journal, Record},
};

/// AWS seconds that a reset may take, and the least in real time.
const PATIENCE_S: f64 = 600.0;
const LEAST_PATIENCE_S: f64 = 90.0;

impl Drill<'_> {
    /// Runs whatever the end was. Gives the reason for which the lab is not healthy again, if it is not.
    ///
    /// # Errors
    /// [`RunError::CutShort`] on a second interruption.
    pub(super) async fn roll_back(&mut self, stop: &Stop, end: &End) -> Result<Option<String>, RunError> {
        self.enter(Phase::Rollback);
        // For who asks meanwhile.
        self.look();
        if let End::Stopped(why) | End::Failed(why) = end {
            self.note(Entry::now(Kind::Trouble, why.clone()));
        }
        let history = History::read(&self.folder).map_err(RunError::io("reading the journal"))?;
        let (lab, touched) = (self.lab, self.guard.is_some());
        let (failures, health) = tokio::select! {
            done = put_back(lab, &mut self.journal, &history, touched) => done,
            () = stop.now.cancelled() => return Err(RunError::CutShort),
        };
        let names = history.to_undo().into_iter().map(|(_, name, _)| name);
        for name in names.filter(|name| !failures.iter().any(|failure| failure.contains(name.as_str()))) {
            self.note(Entry::now(Kind::Restored, format!("put back: {name}")).by("journal.jsonl").spoiling());
        }
        for failure in &failures {
            self.note(Entry::now(Kind::Trouble, failure));
        }
        match &health {
            Ok(words) => self.note(Entry::now(Kind::Restored, words)),
            Err(reason) => self.note(Entry::now(Kind::Trouble, format!("the lab is not healthy again: {reason}"))),
        }
        if failures.is_empty() {
            close(&mut self.journal, &health).map_err(RunError::io("closing the journal"))?;
        }
        self.watch = None;
        if let Some(band) = self.bands.last_mut() {
            band.to = time::OffsetDateTime::now_utc();
        }
        Ok(health.err().or_else(|| failures.first().cloned()))
    }
}

/// Undoes, and with `heal` resets: gives what failed, and whether the lab is healthy.
pub(crate) async fn put_back(
    lab: &Lab,
    journal: &mut Journal,
    history: &History,
    heal: bool,
) -> (Vec<String>, Result<String, String>) {
    let failures = inject::undo_all(lab, journal, history).await;
    if !heal {
        return (failures, Ok("nothing was changed".to_owned()));
    }
    let seconds = (PATIENCE_S / lab.speed).max(LEAST_PATIENCE_S);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "90 to 600")]
    let options = Options { timeout_s: seconds as u64, ..Options::default() };
    let health = match reset::run(&lab.clients, &lab.names, &options, &mut |_| {}).await {
        Ok(report) => Ok(match report.verified {
            Some(verified) => {
                format!("the lab is healthy: {} tasks, good for {:.1} s", verified.tasks, verified.window_s)
            }
            None => "the lab is healthy".to_owned(),
        }),
        Err(error) => {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            Err(format!("{error}{source}"))
        }
    };
    (failures, health)
}

pub(crate) fn close(journal: &mut Journal, health: &Result<String, String>) -> std::io::Result<()> {
    journal.write(Record::Restored { healthy: health.is_ok(), reason: health.as_ref().err().cloned() })
}
