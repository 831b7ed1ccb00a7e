//! A run: the pacer, the requests under way, the snapshots, the end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot, watch},
    task::AbortHandle,
};

use crate::{
    EndReason, InvalidProfile, Profile, Sample, Snapshot, Summary,
    client::Client,
    pacer::{self, Pacer, Turn},
    record::Record,
};

/// How long requests under way may still answer after a stop; those that have not are counted as unfinished.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// A run that goes on. Dropping it stops the arrivals.
pub struct Run {
    profile: Profile,
    record: Arc<Record>,
    slots: Arc<Semaphore>,
    snapshots: watch::Receiver<Snapshot>,
    ticker: AbortHandle,
    pacer: Arc<Pacer>,
    ended: oneshot::Receiver<EndReason>,
    t0: Instant,
    started_at: OffsetDateTime,
}

/// Ends a run early. Cheap to clone; safe to call twice.
#[derive(Clone)]
pub struct Stop(Arc<Pacer>);

impl Stop {
    /// No further arrivals; requests under way get a second to finish.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// Runs a profile to its end.
///
/// # Errors
/// [`InvalidProfile`] before anything is sent.
pub async fn run(profile: Profile) -> Result<Summary, InvalidProfile> {
    Ok(start(profile)?.finish().await)
}

/// Starts a run on the current tokio runtime.
///
/// # Errors
/// [`InvalidProfile`] before anything is sent.
///
/// # Panics
/// Outside a tokio runtime.
pub fn start(profile: Profile) -> Result<Run, InvalidProfile> {
    start_observed(profile, |_| {})
}

/// Starts a run and shows each finished request to `observe`, which must be quick: it is called on the runtime's threads.
///
/// # Errors
/// [`InvalidProfile`] before anything is sent.
///
/// # Panics
/// Outside a tokio runtime.
pub fn start_observed(
    profile: Profile,
    observe: impl Fn(&Sample) + Send + Sync + 'static,
) -> Result<Run, InvalidProfile> {
    let urls = profile.check()?;
    let runtime = Handle::current();
    let client = Arc::new(Client::new(&profile, urls));
    let slots = Arc::new(Semaphore::new(profile.in_flight_max));
    let (t0, started_at) = (Instant::now(), OffsetDateTime::now_utc());
    let record = Arc::new(Record::new(profile.targets.len(), t0));
    let observe = Arc::new(observe);

    let arrive = {
        let (record, slots) = (Arc::clone(&record), Arc::clone(&slots));
        let mut turn = Turn::new(&profile.targets);
        move |_arrival: u64, due: Instant| {
            let target = turn.next();
            let slot = Arc::clone(&slots).try_acquire_owned();
            record.counts().arrived(due.elapsed(), slot.is_err());
            let Ok(slot) = slot else { return };
            let (client, record, observe) = (Arc::clone(&client), Arc::clone(&record), Arc::clone(&observe));
            runtime.spawn(async move {
                let outcome = client.send(target, due).await;
                let sample = Sample { target, due_at: started_at + (due - t0), latency: due.elapsed(), outcome };
                record.counts().finished(&sample);
                observe(&sample);
                drop(slot);
            });
        }
    };
    let (tell_end, ended) = oneshot::channel();
    let end = move |_arrivals, stopped| {
        // The receiver is gone when the run was dropped: then nobody asks.
        let _ = tell_end.send(if stopped { EndReason::Stopped } else { EndReason::Complete });
    };
    let pacer = pacer::spawn(profile.rate_per_s, profile.arrivals_max(), t0, arrive, end)
        .map_err(|error| InvalidProfile::NoThread(error.kind()))?;
    let pacer = Arc::new(pacer);

    let (publish, snapshots) = watch::channel(Snapshot::default());
    let ticker = {
        let (record, mut tick) = (Arc::clone(&record), tokio::time::interval(profile.snapshot_interval));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::spawn(async move {
            tick.tick().await;
            loop {
                tick.tick().await;
                let snapshot = Snapshot::take(&mut record.counts(), t0);
                if publish.send(snapshot).is_err() {
                    return;
                }
            }
        })
        .abort_handle()
    };
    Ok(Run { profile, record, slots, snapshots, ticker, pacer, ended, t0, started_at })
}

impl Run {
    /// The latest snapshot, and a way to wait for the next. The channel closes when the run has ended.
    pub fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// A handle that ends the run early.
    pub fn stopper(&self) -> Stop {
        Stop(Arc::clone(&self.pacer))
    }

    /// Waits for the last arrival and the last answer.
    pub async fn finish(mut self) -> Summary {
        // An error means that the pacer's thread died with its sender: nothing further arrives.
        let end = (&mut self.ended).await.unwrap_or(EndReason::Stopped);
        let patience = match end {
            // Each request bounds itself by the timeout; the second on top is for a runtime too busy to notice.
            EndReason::Complete => self.profile.timeout + STOP_GRACE,
            EndReason::Stopped => STOP_GRACE,
        };
        let all = u32::try_from(self.profile.in_flight_max).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(patience, self.slots.acquire_many(all)).await;
        let lasted = self.t0.elapsed();
        Summary::of(&self.profile, &self.record.counts(), self.started_at, lasted, end)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.pacer.stop();
        self.ticker.abort();
    }
}
