//! A lab of one's own.

mod place;
mod secret;
mod service;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use contract::names::resource;
use serde_json::Value;

use self::place::Place;
use crate::{Reply, SmallDisk, until};

/// Two cores carry one lab and its load; more at once would test the scheduler.
static TURN: Mutex<()> = Mutex::new(());

/// A lab, running or not. It ends when dropped.
pub struct Lab {
    place: Place,
    environment: BTreeMap<String, String>,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    /// Starts a lab on free ports and waits until it is steady.
    ///
    /// # Panics
    /// When it does not start; the message holds what it said.
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    /// As [`Lab::up`], with further arguments of `breakfix up`.
    ///
    /// # Panics
    /// When it does not start; the message holds what it said.
    pub fn up_with(arguments: &[&str]) -> Self {
        let mut lab = Self::unstarted();
        lab.start(arguments);
        lab
    }

    /// A lab that nobody has started yet, with a state directory of its own.
    ///
    /// # Panics
    /// When there is no temporary folder.
    pub fn unstarted() -> Self {
        Self::at(|| Place::Folder(tempfile::Builder::new().prefix("lab-").tempdir().expect("a temporary folder")))
    }

    /// As [`Lab::unstarted`], with its state directory on this disk.
    pub fn unstarted_on(disk: SmallDisk) -> Self {
        Self::at(|| Place::Disk(disk))
    }

    fn at(place: impl FnOnce() -> Place) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Self { place: place(), environment: BTreeMap::new(), _turn: turn }
    }

    /// Starts the lab, on new ports.
    ///
    /// # Panics
    /// When it does not start; the message holds what it said.
    pub fn start(&mut self, arguments: &[&str]) {
        // The names of an earlier lab would send the commands to that one.
        self.environment.clear();
        let (port, balancer_port) = (free_port().to_string(), free_port().to_string());
        let up = ["up", "--detach", "--port", &port, "--balancer-port", &balancer_port];
        let output = self.breakfix(&[&up, arguments].concat());
        assert!(output.status.success(), "up failed: {}\n{}", text(&output.stderr), self.twin_log());
        let exports = self.breakfix(&["env"]);
        assert!(exports.status.success(), "env failed: {}", text(&exports.stderr));
        self.environment = text(&exports.stdout).lines().filter_map(export).collect();
    }

    /// The state directory, as the lab's programs name it.
    pub fn state_dir(&self) -> &Path {
        self.place.path()
    }

    /// The disk that it was put on.
    ///
    /// # Panics
    /// When it is on none of its own.
    pub fn disk(&self) -> &SmallDisk {
        match &self.place {
            Place::Disk(disk) => disk,
            Place::Folder(folder) => panic!("the lab in {} has no disk of its own", folder.path().display()),
        }
    }

    /// One of the names that `breakfix env` exports.
    ///
    /// # Panics
    /// When it is not exported.
    pub fn name(&self, variable: &str) -> &str {
        self.environment
            .get(variable)
            .unwrap_or_else(|| panic!("`breakfix env` exports no {variable}: {:?}", self.environment))
    }

    /// Runs `breakfix` against this lab.
    ///
    /// # Panics
    /// When the binary cannot be run.
    pub fn breakfix(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("breakfix runs")
    }

    /// `breakfix` against this lab, for those who do not wait for its end.
    ///
    /// # Panics
    /// Without arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let (name, rest) = arguments.split_first().expect("a command");
        let mut command = self.place.command(&binary("breakfix"));
        command.arg(name);
        if takes_state_dir(name) {
            command.arg("--state-dir").arg(self.state_dir());
        }
        command.args(rest).envs(&self.environment).stdin(Stdio::null());
        if let Some(path) = path_of_clients() {
            command.env("PATH", path);
        }
        command
    }

    /// Runs the aws CLI as a person would, with the exported environment. The answer's JSON, or the error text.
    ///
    /// # Errors
    /// What the CLI said, when it exits non-zero.
    pub fn try_aws(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = Command::new(env::var_os("LAB_AWS").unwrap_or_else(|| "aws".into()))
            .args(arguments)
            .args(["--output", "json"])
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
            .context("the aws CLI runs; `cargo xtask test` installs it")?;
        if !output.status.success() {
            bail!("aws {}: {}", arguments.join(" "), text(&output.stderr).trim());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// As [`Lab::try_aws`].
    ///
    /// # Panics
    /// With the CLI's error.
    #[track_caller]
    pub fn aws(&self, arguments: &[&str]) -> Value {
        self.try_aws(arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a Python program against the lab's endpoint, with boto3 at hand.
    ///
    /// # Panics
    /// When it fails; the message holds what it said.
    #[track_caller]
    pub fn python(&self, program: &Path) {
        let output = Command::new(env::var_os("LAB_PYTHON").unwrap_or_else(|| "python3".into()))
            .arg(program)
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
            .expect("python3 runs; `cargo xtask test` installs it");
        assert!(output.status.success(), "{}: {}{}", program.display(), text(&output.stdout), text(&output.stderr));
    }

    /// GET through the balancer on a connection of its own.
    ///
    /// # Errors
    /// When no HTTP reply came within 20 s.
    pub fn try_get(&self, path: &str) -> anyhow::Result<Reply> {
        Reply::get(&format!("{}{path}", self.name("ALB_URL")), &[], Duration::from_secs(20))
    }

    /// As [`Lab::try_get`].
    ///
    /// # Panics
    /// When no reply came.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.try_get(path).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Sets the failure mode by the aws CLI and returns the parameter's version.
    ///
    /// # Panics
    /// When the parameter cannot be written.
    #[track_caller]
    pub fn set_mode(&self, value: &str) -> i64 {
        let name = self.name("PARAM_FAILURE_MODE");
        let reply =
            self.aws(&["ssm", "put-parameter", "--name", name, "--value", value, "--type", "String", "--overwrite"]);
        reply["Version"].as_i64().expect("PutParameter answers the version")
    }

    /// Waits until every running task says that it applies this version of the parameter.
    #[track_caller]
    pub fn until_applied(&self, version: i64) {
        let version = version.to_string();
        until(&format!("version {version} applied"), 10, || {
            let seen: Vec<_> =
                (0..6).map(|_| self.get("/live").header("x-lab-config-version").unwrap_or("none").to_owned()).collect();
            if seen.iter().all(|seen| *seen == version) { Ok(()) } else { Err(format!("{seen:?}")) }
        });
    }

    /// Log messages that match a filter pattern.
    #[track_caller]
    pub fn log_messages(&self, pattern: &str) -> Vec<String> {
        let found = self.aws(&[
            "logs",
            "filter-log-events",
            "--log-group-name",
            resource::LOG_GROUP,
            "--filter-pattern",
            pattern,
        ]);
        strings(&found["events"], "message")
    }

    /// Runs `breakfix reset` and wants it verified.
    ///
    /// # Panics
    /// When it exits non-zero; the message holds what it said.
    #[track_caller]
    pub fn reset(&self) {
        let output = self.breakfix(&["reset"]);
        assert!(output.status.success(), "reset: {}\n{}", text(&output.stdout), text(&output.stderr));
    }

    /// Begins an outage by `breakfix outage`: service, kind and further flags.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn outage(&self, arguments: &[&str]) {
        let output = self.breakfix(&[&["outage"], arguments].concat());
        assert!(output.status.success(), "outage {arguments:?}: {}", text(&output.stderr));
    }

    /// What the twin wrote to its log, for messages of failed tests.
    pub fn twin_log(&self) -> String {
        let log = fs::read_to_string(self.place.outside().join("twin.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// The recorded children of the twin: name and pid.
    ///
    /// # Panics
    /// When there is no record.
    pub fn children(&self) -> Vec<(String, i32)> {
        let record = fs::read(self.place.outside().join("processes.json")).expect("the twin records its children");
        let record: Value = serde_json::from_slice(&record).expect("the record is JSON");
        let child =
            |child: &Value| Some((child["name"].as_str()?.to_owned(), i32::try_from(child["pid"].as_i64()?).ok()?));
        record.as_array().into_iter().flatten().filter_map(child).collect()
    }

    /// The twin's own pid.
    ///
    /// # Panics
    /// When the lab is not running.
    pub fn twin_pid(&self) -> i32 {
        let ready = fs::read(self.place.outside().join("twin.json")).expect("a running twin has a ready file");
        let ready: Value = serde_json::from_slice(&ready).expect("the ready file is JSON");
        ready["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("the ready file names the pid")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the twin's log ---\n{}", self.twin_log());
        }
        let output = self.breakfix(&["down"]);
        if !output.status.success() {
            eprintln!("down: {}", text(&output.stderr));
        }
    }
}

/// The commands that look for a running lab by its state directory.
fn takes_state_dir(command: &str) -> bool {
    matches!(command, "up" | "down" | "status" | "env" | "doctor" | "runbook" | "gameday")
}

/// Where blocks of runbooks find the aws CLI that the tests use: before any other.
fn path_of_clients() -> Option<OsString> {
    let aws = PathBuf::from(env::var_os("LAB_AWS")?);
    let others = env::var_os("PATH").unwrap_or_default();
    env::join_paths(aws.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&others))).ok()
}

/// A port that was free a moment ago.
///
/// # Panics
/// When the operating system gives none.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Path of one of the lab's binaries. The first call builds them all.
///
/// # Panics
/// When they do not build.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let own = env::current_exe().expect("this program has a path");
        // target/<profile>/<program>, or target/<profile>/deps/<test>
        let folder =
            own.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).expect("a program lies in a folder");
        let profile = if folder.ends_with("release") { "--release" } else { "--profile=dev" };
        let mut build = xtask::workspace::cargo(&["build", "--workspace", "--bins", "--quiet", profile]);
        assert!(build.status().expect("cargo runs").success(), "the lab's binaries do not build");
        folder.to_owned()
    });
    folder.join(name)
}

/// Bytes that a program wrote, as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn strings(list: &Value, field: &str) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item[field].as_str().map(str::to_owned)).collect()
}

/// `export NAME='value'` as a pair.
fn export(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    Some((name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
}
