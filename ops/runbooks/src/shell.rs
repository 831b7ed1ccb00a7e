//! Where blocks run: `bash -euo pipefail`, one process group for each, with just these variables.
//!
//! Each block has a shell of its own, so no variable of one block reaches the next: a person on call begins in the middle,
//! in another terminal, after a break, and a block that works alone works there too. `set -u` finds the ones that do not.

use std::{collections::BTreeMap, ffi::OsString, process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
};

use crate::{Expectation, Kind};

/// The least time that a block's run may take: it is the client's and the machine's own, which no factor shortens.
const RUN_LIMIT: Duration = Duration::from_secs(60);
/// The least patience of `# within`: the application's refresh, a process that starts and the client's calls are not faster
/// where the platform's waiting is.
const LEAST_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of each output stream that are kept; the rest is read and dropped.
const KEPT: usize = 256 * 1024;

/// What blocks run with.
#[derive(Clone, Debug)]
pub struct Shell {
    environment: BTreeMap<OsString, OsString>,
    time_factor: f64,
    once: bool,
}

/// What one run of a block said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output, at most 256 KiB of it.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// The exit code; none when a signal ended the shell.
    pub exit: Option<i32>,
}

impl Shell {
    /// A shell with these variables and no others; `PATH` has to be among them.
    pub fn new(environment: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>) -> Self {
        let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { environment, time_factor: 1.0, once: false }
    }

    /// By how much the platform waits less than AWS does; every `# within` is divided by it.
    #[must_use]
    pub fn time_factor(mut self, factor: f64) -> Self {
        self.time_factor = if factor.is_finite() { factor.max(1.0) } else { 1.0 };
        self
    }

    /// Looks once instead of until it is so: is it this, right now?
    #[must_use]
    pub fn once(mut self, once: bool) -> Self {
        self.once = once;
        self
    }

    /// How long a block may be asked again until its expectation holds.
    pub(crate) fn patience(&self, kind: Kind, expectation: &Expectation) -> Duration {
        match expectation.within {
            Some(within) if kind.only_looks() && !self.once => self.scaled(within).max(LEAST_PATIENCE),
            _ => Duration::ZERO,
        }
    }

    /// How long one run of a block may take.
    pub(crate) fn limit(&self, expectation: &Expectation) -> Duration {
        expectation.within.map_or(RUN_LIMIT, |within| self.scaled(within).max(RUN_LIMIT))
    }

    fn scaled(&self, in_aws: Duration) -> Duration {
        in_aws.div_f64(self.time_factor)
    }

    /// Runs a script once. Whatever it started ends with it; when the future is dropped, too.
    ///
    /// # Errors
    /// In words: bash cannot be run, or the script took longer than `limit`.
    pub async fn run(&self, script: &str, limit: Duration) -> Result<Output, String> {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).env_clear().envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| format!("bash cannot be run: {error}"))?;
        let group = Group(child.id());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let ended = async {
            let status = child.wait().await;
            // What the script left in the background would keep the pipes open.
            drop(group);
            status
        };
        let all = async { tokio::join!(kept(stdout), kept(stderr), ended) };
        let Ok((stdout, stderr, status)) = tokio::time::timeout(limit, all).await else {
            return Err(format!("it was ended after {} s", limit.as_secs_f64()));
        };
        let status = status.map_err(|error| format!("waiting for bash: {error}"))?;
        Ok(Output { stdout, stderr, exit: status.code() })
    }
}

/// A process group that ends when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0.and_then(|id| i32::try_from(id).ok()) {
            // It may be gone already.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// The beginning of a stream, read to its end.
async fn kept(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell() -> Shell {
        Shell::new([("PATH".to_owned(), std::env::var("PATH").expect("a path")), ("GREETING".into(), "it's".into())])
    }

    #[tokio::test]
    async fn a_block_has_the_given_variables_and_no_others() {
        let output = shell().run("echo \"$GREETING\"; echo talk >&2; exit 3", LONG).await.expect("runs");
        assert_eq!(output, Output { stdout: "it's\n".into(), stderr: "talk\n".into(), exit: Some(3) });
        let output = shell().run("echo \"$HOME\"", LONG).await.expect("runs");
        assert!(output.exit != Some(0) && output.stderr.contains("HOME"), "{output:?}");
        let output = shell().run("false | true; echo on", LONG).await.expect("runs");
        assert_eq!((output.exit, output.stdout.as_str()), (Some(1), ""));
    }

    #[tokio::test]
    async fn a_block_ends_at_its_limit_with_all_that_it_started() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("pid");
        let script = format!("sleep 300 & echo $! > {}; wait", file.display());
        let start = Instant::now();
        let error = shell().run(&script, Duration::from_secs(2)).await.expect_err("too long");
        assert!(error.contains("ended after 2 s") && start.elapsed() < LONG, "{error}");
        let pid: i32 = std::fs::read_to_string(&file).expect("written").trim().parse().expect("a pid");
        let is_gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            nix::sys::signal::kill(Pid::from_raw(pid), None).is_err() || stat.contains(") Z ")
        };
        for _ in 0..200 {
            if is_gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("sleep (pid {pid}) lives on");
    }

    #[tokio::test]
    async fn what_a_block_leaves_in_the_background_does_not_hold_it() {
        let start = Instant::now();
        let output = shell().run("sleep 300 & echo done", LONG).await.expect("runs");
        assert_eq!(output.stdout, "done\n");
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn an_endless_talker_is_bounded() {
        let output = shell().run("head -c 3000000 /dev/zero | tr '\\0' x", LONG).await.expect("runs");
        assert_eq!((output.stdout.len(), output.exit), (KEPT, Some(0)));
    }

    #[tokio::test]
    async fn no_bash_is_said() {
        let error = Shell::new([("PATH", "/nowhere")]).run("true", LONG).await.expect_err("no bash there");
        assert!(error.starts_with("bash cannot be run"), "{error}");
    }

    #[test]
    fn patience_shrinks_with_the_factor_to_what_machines_need() {
        let expectation = |within_s: u64| Expectation {
            conditions: Vec::new(),
            within: (within_s > 0).then(|| Duration::from_secs(within_s)),
        };
        let fast = shell().time_factor(10.0);
        assert_eq!(fast.patience(Kind::Verify, &expectation(600)), Duration::from_secs(60));
        assert_eq!(fast.patience(Kind::Verify, &expectation(60)), LEAST_PATIENCE);
        assert_eq!(fast.patience(Kind::Verify, &expectation(0)), Duration::ZERO);
        assert_eq!(fast.patience(Kind::Mitigate, &expectation(600)), Duration::ZERO, "it is run once");
        assert_eq!(fast.limit(&expectation(1200)), Duration::from_secs(120));
        assert_eq!(fast.limit(&expectation(0)), RUN_LIMIT);
        assert_eq!(fast.clone().once(true).patience(Kind::Confirm, &expectation(600)), Duration::ZERO);
        assert_eq!(shell().time_factor(f64::NAN).limit(&expectation(600)), Duration::from_secs(600));
    }
}
