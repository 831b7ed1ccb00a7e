//! A data directory and the server on it, as two operations: initialise, launch.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use twin_platform::{Identity, Spawner};

use crate::{Credentials, MASTER, Programs, StartError, owner::Owner, session::Session};

/// initdb and a start take half a second on an idle laptop; past this the machine is stuck.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a starting server is asked; it is usually ready after 50 ms.
const LOOK: Duration = Duration::from_millis(15);

/// Where the server lives and what it is started with.
pub(crate) struct Cluster {
    pub(crate) programs: Programs,
    pub(crate) owner: Owner,
    pub(crate) spawner: Spawner,
    /// Holds the data directory; ours alone.
    pub(crate) folder: PathBuf,
    /// The server's log.
    pub(crate) log: PathBuf,
    pub(crate) max_connections: u16,
    /// Master credentials with the server's address.
    pub(crate) master: Credentials,
}

impl Cluster {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes the folder anew and runs `initdb` in it.
    pub(crate) async fn initialise(&self) -> Result<(), StartError> {
        end_predecessor(&self.data());
        self.owner.fresh(&self.folder)?;
        let password_file = self.folder.join("master-password");
        let failed = |operation: &'static str| {
            let path = password_file.clone();
            move |source| StartError::File { operation, path, source }
        };
        fs::write(&password_file, &self.master.password).map_err(failed("writing"))?;
        self.owner.give(&password_file).map_err(failed("giving away"))?;
        let mut command = self.command("initdb");
        command
            .arg("--pgdata")
            .arg(self.data())
            .args([
                "--username",
                MASTER,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "--no-instructions",
            ])
            .arg("--pwfile")
            .arg(&password_file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let child = self.spawn("initdb", command, Signal::SIGTERM).await?;
        let pid = child.id();
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        if let Some(pid) = pid {
            self.spawner.forget(pid);
        }
        fs::remove_file(&password_file).map_err(failed("removing"))?;
        match output {
            Err(_) => Err(StartError::Failed {
                program: "initdb",
                last_words: format!("no end after {} s", PATIENCE.as_secs()),
            }),
            Ok(Err(source)) => Err(StartError::File { operation: "running initdb for", path: self.data(), source }),
            Ok(Ok(output)) if !output.status.success() => {
                let words = String::from_utf8_lossy(&output.stderr).into_owned();
                Err(StartError::Failed { program: "initdb", last_words: last_words(&words, output.status) })
            }
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// Starts the server and waits until it admits the master role.
    pub(crate) async fn launch(&self) -> Result<Child, StartError> {
        forget_dead_postmaster(&self.data());
        let failed = |source| StartError::File { operation: "opening the log", path: self.log.clone(), source };
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log).map_err(failed)?;
        let port = self.master.port.to_string();
        let max_connections = format!("max_connections={}", self.max_connections);
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-k", "", "-h", &self.master.host, "-p", &port]);
        for setting in [
            // Known state matters here, durability does not: every start begins with an empty data directory.
            "fsync=off",
            "full_page_writes=off",
            "wal_level=minimal",
            "max_wal_senders=0",
            "shared_buffers=16MB",
            &max_connections,
            // The master still gets in when the application has used up the rest: that is how a leak is seen and repaired.
            "superuser_reserved_connections=3",
            // For ReadLatency and WriteLatency; a clock read costs some 25 ns here.
            "track_io_timing=on",
            "track_wal_io_timing=on",
            "timezone=UTC",
            "log_timezone=UTC",
        ] {
            command.args(["-c", setting]);
        }
        command.stdout(Stdio::null()).stderr(log);
        // SIGQUIT is PostgreSQL's immediate shutdown: it takes all its processes along.
        let mut child = self.spawn("postgres", command, Signal::SIGQUIT).await?;
        match self.admits(&mut child).await {
            Ok(()) => Ok(child),
            Err(error) => {
                self.end(&mut child, Signal::SIGQUIT).await;
                Err(error)
            }
        }
    }

    async fn admits(&self, child: &mut Child) -> Result<(), StartError> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                return Err(StartError::Failed { program: "postgres", last_words: last_words(&log, status) });
            }
            match Session::open(&self.master).await {
                Ok(session) => {
                    session.close().await;
                    return Ok(());
                }
                Err(source) if Instant::now() > end => {
                    let (port, patience_s) = (self.master.port, PATIENCE.as_secs());
                    return Err(StartError::NotReady { port, patience_s, source });
                }
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Ends a server by a signal of PostgreSQL's (`SIGINT` fast, `SIGQUIT` immediate), at last by SIGKILL, and waits for it.
    pub(crate) async fn end(&self, child: &mut Child, signal: Signal) {
        let Some(pid) = child.id() else { return };
        for (signal, patience_s) in [(signal, 10), (Signal::SIGQUIT, 5), (Signal::SIGKILL, 5)] {
            if let Some(identity) = Identity::of(pid) {
                identity.signal(signal);
            }
            if tokio::time::timeout(Duration::from_secs(patience_s), child.wait()).await.is_ok() {
                break;
            }
        }
        self.spawner.forget(pid);
    }

    /// The running server's first process.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        postmaster(&self.data())
    }

    fn command(&self, program: &'static str) -> Command {
        let mut command = Command::new(self.programs.bin.join(program));
        // No PG* variable of the person's shell may steer this server; the data folder is one that its user may enter.
        command.env_clear().env("LC_ALL", "C").stdin(Stdio::null()).current_dir(&self.folder);
        for kept in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        self.owner.run_as(&mut command);
        command
    }

    async fn spawn(&self, program: &'static str, command: Command, death_signal: Signal) -> Result<Child, StartError> {
        self.spawner.spawn(program, command, death_signal).await.map_err(|source| StartError::Spawn {
            program: self.programs.bin.join(program),
            user: self.owner.name.clone(),
            source,
        })
    }
}

/// A port that is free now. Somebody may take it before the server does; the caller then tries again.
pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Ends a server that still runs on the data directory although no record of it was left. The postmaster's pid file counts
/// only when that process's command line names this very directory.
fn end_predecessor(data: &Path) {
    let Some(pid) = postmaster(data) else { return };
    let Some(identity) = Identity::of(pid).filter(|_| command_line(pid).contains(&data.display().to_string())) else {
        return;
    };
    tracing::warn!(pid, "ending a PostgreSQL that an earlier twin left behind");
    for (signal, looks) in [(Signal::SIGQUIT, 150), (Signal::SIGKILL, 50)] {
        identity.signal(signal);
        for _ in 0..looks {
            if !identity.is_alive() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes the pid file of a server that was killed, so that a process that got its pid meanwhile is not taken for it.
fn forget_dead_postmaster(data: &Path) {
    if postmaster(data).is_some_and(|pid| !command_line(pid).contains(&data.display().to_string())) {
        // If it cannot be removed the server says so itself when it starts.
        let _ = fs::remove_file(data.join("postmaster.pid"));
    }
}

/// First line of `postmaster.pid`.
fn postmaster(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

#[cfg(target_os = "linux")]
fn command_line(pid: u32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).replace('\0', " ")
}

#[cfg(not(target_os = "linux"))]
fn command_line(pid: u32) -> String {
    let output = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The line of a log that says what went wrong.
fn last_words(log: &str, status: std::process::ExitStatus) -> String {
    let serious = |line: &&str| ["FATAL", "PANIC", "error:", "could not"].iter().any(|word| line.contains(word));
    let lines = || log.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().rfind(serious).or_else(|| lines().next_back()).map_or_else(|| status.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn the_line_that_says_why_is_found() {
        let status = std::process::ExitStatus::from_raw(256);
        let log =
            "LOG:  could not bind\nFATAL:  could not create any TCP/IP sockets\nLOG:  database system is shut down\n";
        assert_eq!(last_words(log, status), "FATAL:  could not create any TCP/IP sockets");
        assert_eq!(last_words("\n", status), "exit status: 1");
    }

    #[test]
    fn a_pid_file_that_names_another_process_is_not_believed() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let file = data.path().join("postmaster.pid");
        fs::write(&file, format!("{}\n{}\n", std::process::id(), data.path().display())).expect("written");
        end_predecessor(data.path());
        forget_dead_postmaster(data.path());
        assert!(!file.exists(), "this test is no PostgreSQL");
    }
}
