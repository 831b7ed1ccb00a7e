//! The twin as a child process: start, wait for its ready file, end.

use std::{
    fs::File,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::process::{Child, Command};
use twin_database::Programs;
use twin_platform::Identity;

use crate::{
    binaries::Binaries,
    lab::{Ready, StateDir},
    problem::failure,
    process::LOOK,
    signals::Signals,
};

/// Past this a start is stuck: an initdb on a slow disk takes a few seconds.
const READY_PATIENCE: Duration = Duration::from_secs(60);
/// Tasks get their stop timeout (30 s divided by the speed), PostgreSQL a fast shutdown after them.
pub(crate) const END_PATIENCE: Duration = Duration::from_secs(45);

/// What the twin is started with.
pub(crate) struct Settings {
    pub port: u16,
    pub speed: f64,
    pub region: String,
    pub db_port: u16,
}

/// A started twin.
pub(crate) struct Twin {
    child: Child,
    pid: u32,
    state_dir: StateDir,
}

impl Twin {
    /// Starts it with its log in the state directory. In a process group of its own: Ctrl-C in the terminal reaches us alone,
    /// and we end it in order.
    pub(crate) fn start(
        binaries: &Binaries,
        postgres: &Programs,
        settings: &Settings,
        state_dir: &StateDir,
    ) -> Result<Self> {
        let log_file = state_dir.log_file();
        let log = File::create(&log_file).with_context(|| format!("creating {}", log_file.display()))?;
        let golden = |name: &str| format!("{name}={}", binaries.golden.display());
        let image = format!("{}:{}", contract::names::resource::IMAGE_REPOSITORY, contract::names::resource::IMAGE_TAG);
        let child = Command::new(&binaries.twin)
            .args(["--port", &settings.port.to_string(), "--speed", &settings.speed.to_string()])
            .args(["--region", &settings.region, "--db-port", &settings.db_port.to_string()])
            .arg("--state-dir")
            .arg(state_dir.path())
            .arg("--pg-bin")
            .arg(&postgres.bin)
            .args(["--image", &golden(&image)])
            // glibc gives each thread an arena, and what one has freed another does not use. The stores are bounded but ever
            // full, so that the twin took 302 MiB in an hour of drill (720 000 requests) where it takes 219 with one arena.
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log file")?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", binaries.twin.display()))?;
        let pid = child.id().context("the twin ended before it had a pid")?;
        Ok(Self { child, pid, state_dir: state_dir.clone() })
    }

    /// Waits for the ready file of this very process.
    ///
    /// # Errors
    /// When the twin ends first, with its last words, or takes too long.
    pub(crate) async fn ready(&mut self) -> Result<Ready> {
        let end = Instant::now() + READY_PATIENCE;
        loop {
            if let Some(ready) = self.state_dir.last().filter(|ready| ready.identity.pid == self.pid) {
                return Ok(ready);
            }
            if let Some(status) = self.child.try_wait().context("looking after the twin")? {
                return Err(self.ended(status));
            }
            if Instant::now() >= end {
                return Err(failure(
                    format!("the twin is not ready after {} s", READY_PATIENCE.as_secs()),
                    format!("see {}", self.log().display()),
                ));
            }
            tokio::time::sleep(LOOK / 2).await;
        }
    }

    /// Waits until the twin ends by itself.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.context("waiting for the twin")
    }

    /// The error for a twin that ended when it should not have.
    pub(crate) fn ended(&self, status: ExitStatus) -> anyhow::Error {
        // A refusal is one line that begins with its name; everything else in the log is talk.
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let refusal =
            log.lines().rev().find_map(|line| line.strip_prefix("twin: ")).filter(|_| status.code().is_some());
        let words = refusal.map(|words| format!(": {words}")).unwrap_or_default();
        failure(format!("the twin ended ({status}){words}"), format!("see {}", self.log().display()))
    }

    /// Ends it and waits; a further signal from the person, or too long a wait, kills it. Says which it was.
    pub(crate) async fn end(&mut self, signals: &mut Signals) -> Result<&'static str> {
        if let Some(twin) = Identity::of(self.pid) {
            twin.signal(nix::sys::signal::Signal::SIGTERM);
        }
        let killed = tokio::select! {
            status = self.child.wait() => {
                status.context("waiting for the twin")?;
                return Ok("everything is ended");
            }
            () = signals.next() => "killed on the second signal",
            () = tokio::time::sleep(END_PATIENCE) => "killed, because it did not end in time",
        };
        self.child.kill().await.context("killing the twin")?;
        Ok(killed)
    }

    fn log(&self) -> PathBuf {
        self.state_dir.log_file()
    }
}
