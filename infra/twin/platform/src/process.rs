//! Child processes that never outlive the twin.
//!
//! Two nets: on Linux the kernel signals the child when the twin dies, even by SIGKILL; and every child is recorded by pid
//! and start time in the state directory, so that the next start finds and ends what is left. The kernel's signal fires when
//! the *thread* that spawned the child ends, so one dedicated thread spawns them all.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use tokio::{
    process::{Child, Command},
    sync::oneshot,
};

use crate::Identity;

/// Spawns children; clone freely.
#[derive(Clone)]
pub struct Spawner {
    jobs: mpsc::Sender<Job>,
    records: Arc<Records>,
}

struct Job {
    command: Command,
    death_signal: Signal,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// One child in the record file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it is, for people: `task 0f3a…`, `postgres`.
    pub name: String,
    /// Which process it is.
    #[serde(flatten)]
    pub identity: Identity,
}

impl Spawner {
    /// Starts the spawning thread. `records` is the record file; its folder must exist. Call inside a tokio runtime.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(records: PathBuf) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("spawner".into()).spawn(move || {
            let _inside = runtime.enter();
            for Job { mut command, death_signal, reply } in inbox {
                die_with_parent(&mut command, death_signal);
                // The asker may have given up; the child then dies with its handle (kill_on_drop).
                let _ = reply.send(command.kill_on_drop(true).process_group(0).spawn());
            }
        })?;
        Ok(Self { jobs, records: Arc::new(Records { path: records, children: Mutex::default() }) })
    }

    /// Spawns a child in a process group of its own, so that Ctrl-C in the terminal reaches the twin alone, and records it.
    /// `death_signal` is what the child gets when the twin dies.
    ///
    /// A record that cannot be written (a full disk) is logged and written with the next one that can: a health check that does
    /// not run for it would be a fault of ours, and the kernel's signal is the first net.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub async fn spawn(&self, name: &str, command: Command, death_signal: Signal) -> io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the spawning thread has ended");
        self.jobs.send(Job { command, death_signal, reply }).map_err(|_| gone())?;
        let child = answer.await.map_err(|_| gone())??;
        if let Some(identity) = child.id().and_then(Identity::of)
            && let Err(error) = self.records.add(Record { name: name.to_owned(), identity })
        {
            tracing::warn!(%error, name, "the record of a child could not be written");
        }
        Ok(child)
    }

    /// Takes a child off the record once it has been waited for.
    pub fn forget(&self, pid: u32) {
        if let Err(error) = self.records.remove(pid) {
            tracing::warn!(%error, pid, "the record of a finished child could not be removed");
        }
    }
}

/// Ends every recorded process that still runs (an earlier twin was killed) and empties the record. Returns what was ended.
///
/// # Errors
/// When the record cannot be removed. A record that cannot be read names no process, so it is removed as well.
pub fn end_orphans(records: &Path) -> io::Result<Vec<Record>> {
    let left: Vec<Record> = match std::fs::read(records) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let alive: Vec<Record> = left.into_iter().filter(|record| record.identity.is_alive()).collect();
    // PostgreSQL's immediate shutdown; an application in its right mind ends too.
    for record in &alive {
        record.identity.signal(Signal::SIGQUIT);
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(3);
    while alive.iter().any(|record| record.identity.is_alive()) && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for record in &alive {
        record.identity.signal(Signal::SIGKILL);
    }
    std::fs::remove_file(records)?;
    Ok(alive)
}

struct Records {
    path: PathBuf,
    children: Mutex<Vec<Record>>,
}

impl Records {
    fn add(&self, record: Record) -> io::Result<()> {
        self.change(|children| children.push(record))
    }

    fn remove(&self, pid: u32) -> io::Result<()> {
        self.change(|children| children.retain(|record| record.identity.pid != pid))
    }

    fn change(&self, edit: impl FnOnce(&mut Vec<Record>)) -> io::Result<()> {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        edit(&mut children);
        let draft = self.path.with_extension("draft");
        std::fs::write(&draft, serde_json::to_vec_pretty(&*children)?)?;
        std::fs::rename(&draft, &self.path)
    }
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command, signal: Signal) {
    let twin = nix::unistd::getpid();
    // SAFETY: between fork and exec only async-signal-safe calls are made: prctl(2), getppid(2).
    #[allow(unsafe_code, reason = "the kernel takes the parent-death signal only from the child itself, before exec")]
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(signal)?;
            // The twin may have died between fork and prctl: then nobody would ever send the signal.
            if nix::unistd::getppid() == twin { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command, _signal: Signal) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_recorded_and_left_is_ended_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let records = folder.path().join("processes.json");
        let spawner = Spawner::start(records.clone()).expect("a thread");
        let mut command = Command::new("sleep");
        command.arg("60");
        let mut child = spawner.spawn("sleeper", command, Signal::SIGKILL).await.expect("sleep spawns");
        let ended = end_orphans(&records).expect("the record is readable");
        assert_eq!(ended.iter().map(|record| record.name.as_str()).collect::<Vec<_>>(), ["sleeper"]);
        child.wait().await.expect("the child has ended");
        assert_eq!(end_orphans(&records).expect("no record is fine"), []);
    }
}
