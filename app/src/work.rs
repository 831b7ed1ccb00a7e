//! CPU work on threads of its own, behind a queue with a bound.
//!
//! Promises: a job never runs on an async worker, and a job whose caller has gone ends early. A job is measured in CPU time,
//! not in wall-clock time, so that a starved task shows as slow work.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

/// Hash rounds between two looks at the clock and at the caller: about a tenth of a millisecond.
const ROUNDS: u64 = 20_000;

/// The threads and their queue.
pub(crate) struct WorkPool {
    jobs: SyncSender<Job>,
    waiting: Arc<AtomicU64>,
}

struct Job {
    cpu: Duration,
    done: oneshot::Sender<Done>,
}

/// What a job did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) rounds: u64,
    pub(crate) digest: u64,
}

/// Why a job was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The queue is full.
    Full,
    /// The threads are gone.
    Stopped,
}

impl WorkPool {
    pub(crate) fn start(threads: u64, queue: u64) -> Self {
        let (jobs, queue) = sync_channel(usize::try_from(queue).unwrap_or(usize::MAX));
        let queue = Arc::new(Mutex::new(queue));
        let waiting = Arc::new(AtomicU64::new(0));
        for _ in 0..threads {
            let (queue, waiting) = (Arc::clone(&queue), Arc::clone(&waiting));
            let spawned = thread::Builder::new().name("work".into()).spawn(move || run(&queue, &waiting));
            if let Err(error) = spawned {
                tracing::warn!(%error, "a work thread could not be started");
            }
        }
        Self { jobs, waiting }
    }

    /// Burns that much CPU time and waits for it.
    pub(crate) async fn run(&self, cpu: Duration) -> Result<Done, Refused> {
        let (done, result) = oneshot::channel();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.jobs.try_send(Job { cpu, done }) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(match error {
                TrySendError::Full(_) => Refused::Full,
                TrySendError::Disconnected(_) => Refused::Stopped,
            });
        }
        result.await.map_err(|_| Refused::Stopped)
    }

    /// Jobs that no thread has taken yet.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

fn run(queue: &Mutex<Receiver<Job>>, waiting: &AtomicU64) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        waiting.fetch_sub(1, Ordering::Relaxed);
        let done = burn(job.cpu, || job.done.is_closed());
        let _ = job.done.send(done);
    }
}

/// A chain of mixes (splitmix64's constants) that no compiler can shorten.
fn burn(cpu: Duration, is_abandoned: impl Fn() -> bool) -> Done {
    let end = thread_time() + cpu;
    let mut done = Done { rounds: 0, digest: 0x9E37_79B9_7F4A_7C15 };
    while thread_time() < end && !is_abandoned() {
        for _ in 0..ROUNDS {
            let mixed = (done.digest ^ (done.digest >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            done.digest = std::hint::black_box(mixed ^ (mixed >> 27)).wrapping_add(0x9E37_79B9_7F4A_7C15);
        }
        done.rounds += ROUNDS;
    }
    done
}

fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_takes_cpu_time_and_a_full_queue_refuses() {
        let pool = Arc::new(WorkPool::start(1, 1));
        let done = pool.run(Duration::from_millis(5)).await.expect("an empty queue takes a job");
        assert!(done.rounds >= ROUNDS);
        let slow: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                // The second comes too early while the thread has not yet taken the first out of the queue of one.
                tokio::spawn(async move {
                    while let Err(Refused::Full) = pool.run(Duration::from_secs(3600)).await {
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        // One job runs and one waits; only then does the queue stay full.
        let refused = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                tokio::task::yield_now().await;
                let quick = tokio::time::timeout(Duration::from_millis(50), pool.run(Duration::from_millis(1))).await;
                if let Ok(Err(error)) = quick {
                    return error;
                }
            }
        })
        .await
        .expect("two jobs of an hour fill a pool of one thread and one place");
        assert_eq!(refused, Refused::Full);
        // Callers that go free the thread: otherwise this job would wait an hour.
        for task in slow {
            task.abort();
        }
        tokio::time::timeout(Duration::from_secs(20), async {
            while pool.run(Duration::from_millis(1)).await.is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("an abandoned job ends early");
    }
}
