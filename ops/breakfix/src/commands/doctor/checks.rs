//! The checks, in the order in which their failure would stop a start.

use std::{net::TcpListener, path::Path, process::Command};

use nix::sys::resource::{Resource, getrlimit};
use twin_database::{Programs, ProgramsError};

use super::{Arguments, Finding, cgroups};
use crate::{
    commands::{own_name, program},
    disk,
    lab::{Ready, StateDir},
    postgres, process,
};

/// Open files that the twin, PostgreSQL and a load need at the defaults.
const OPEN_FILES_WANTED: u64 = 4096;

pub(crate) fn all(arguments: &Arguments, state_dir: &StateDir) -> Vec<Finding> {
    let running = state_dir.running();
    vec![
        programs(),
        database(arguments.pg_bin.as_deref()),
        port("AWS port", arguments.port, "--port", running.as_ref()),
        port("ALB port", arguments.balancer_port, "--balancer-port", running.as_ref()),
        addresses(),
        room(state_dir),
        state(state_dir, running.as_ref()),
        cgroups::check(),
        open_files(),
        aws_cli(),
    ]
}

fn programs() -> Finding {
    const NAME: &str = "programs";
    let own = std::env::current_exe().ok();
    let Some(dir) = own.as_deref().and_then(Path::parent) else {
        return Finding::warn(NAME, "the system does not say where this program lies", format!("{} up", own_name()));
    };
    let missing: Vec<&str> = ["twin", "golden", "reset"].into_iter().filter(|name| !dir.join(name).is_file()).collect();
    if missing.is_empty() {
        return Finding::ok(NAME, format!("twin, golden and reset lie in {}", dir.display()));
    }
    let missing = missing.join(", ");
    Finding::fail(
        NAME,
        format!("missing in {}: {missing}", dir.display()),
        "run `cargo lab up` in the workspace, which builds them",
    )
}

fn database(given: Option<&Path>) -> Finding {
    const NAME: &str = "PostgreSQL";
    match Programs::find(given) {
        Ok(found) => Finding::ok(NAME, format!("{} in {}", found.major, found.bin.display())),
        Err(error @ ProgramsError::NotFound) => {
            Finding::warn(NAME, format!("{error}; `up` tries to obtain it"), postgres::install_command_line())
        }
        Err(error) => Finding::fail(NAME, error.to_string(), "leave --pg-bin and LAB_PG_BIN out, or correct them"),
    }
}

fn port(name: &'static str, port: u16, flag: &str, running: Option<&Ready>) -> Finding {
    if TcpListener::bind(("127.0.0.1", port)).is_ok() {
        return Finding::ok(name, format!("{port} is free"));
    }
    let holder = process::listener(port);
    match (&holder, running) {
        (Some((_, pid)), Some(ready)) if *pid == ready.identity.pid => {
            Finding::ok(name, format!("{port} is held by the running lab"))
        }
        (Some((holder, pid)), _) => Finding::fail(
            name,
            format!("{port} is taken by {holder} (pid {pid})"),
            format!("{} up {flag} PORT", own_name()),
        ),
        (None, _) => Finding::fail(name, format!("{port} is taken"), format!("{} up {flag} PORT", own_name())),
    }
}

/// Each task listens on an address of its own where the system routes all of 127/8 to itself.
fn addresses() -> Finding {
    const NAME: &str = "addresses";
    match TcpListener::bind("127.0.77.77:0") {
        Ok(_) => Finding::ok(NAME, "each task can have its own loopback address"),
        Err(_) => Finding::warn(
            NAME,
            "only 127.0.0.1 is routed here: tasks share it and differ by port",
            "nothing to do; on macOS `sudo ifconfig lo0 alias 127.0.0.2` adds an address",
        ),
    }
}

fn room(state_dir: &StateDir) -> Finding {
    const NAME: &str = "disk";
    // The directory itself may not exist before the first start.
    let place = state_dir.path().ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("/"));
    let (shown, needed) = (place.display(), disk::NEEDED_MIB);
    match disk::free_mib(place) {
        Some(free) if free < needed => Finding::fail(
            NAME,
            format!("{free} MiB free in {shown}; a lab needs {needed}"),
            format!("free space, or {} up --state-dir DIRECTORY", program()),
        ),
        Some(free) => Finding::ok(NAME, format!("{free} MiB free in {shown}")),
        None => Finding::warn(NAME, format!("the system does not tell the free space in {shown}"), "df -h"),
    }
}

fn state(state_dir: &StateDir, running: Option<&Ready>) -> Finding {
    const NAME: &str = "lab";
    match (running, state_dir.last()) {
        (Some(ready), _) => Finding::ok(
            NAME,
            format!(
                "running at {} (pid {}, speed {}, since {})",
                ready.endpoint, ready.identity.pid, ready.speed, ready.started_at
            ),
        ),
        (None, Some(ready)) => Finding::warn(
            NAME,
            format!("pid {} left its record in {} without tidying up", ready.identity.pid, state_dir.path().display()),
            format!("{} down", own_name()),
        ),
        (None, None) if state_dir.ready_file().exists() => Finding::warn(
            NAME,
            format!("{} is not readable as a lab's record", state_dir.ready_file().display()),
            format!("rm {}", state_dir.ready_file().display()),
        ),
        (None, None) => Finding::ok(NAME, format!("none is running in {}", state_dir.path().display())),
    }
}

fn open_files() -> Finding {
    const NAME: &str = "open files";
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((_, hard)) if hard < OPEN_FILES_WANTED => Finding::warn(
            NAME,
            format!("at most {hard} for one process; a load of many connections may run out"),
            format!("ulimit -n {OPEN_FILES_WANTED}"),
        ),
        Ok((soft, hard)) => Finding::ok(NAME, format!("{soft}, up to {hard}")),
        Err(error) => Finding::warn(NAME, format!("the system does not tell the limit: {error}"), "ulimit -n"),
    }
}

fn aws_cli() -> Finding {
    const NAME: &str = "aws CLI";
    let output = Command::new("aws").arg("--version").output();
    let version = output.ok().filter(|output| output.status.success()).map(|output| {
        // Version 1 under an old Python wrote it to stderr.
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).split_whitespace().next().unwrap_or_default().to_owned()
    });
    match version {
        None => Finding::warn(NAME, "not installed; the lab runs without it", "pip install awscli"),
        Some(version) if version.starts_with("aws-cli/1.") => Finding::warn(
            NAME,
            format!("{version} works, but has no `aws logs tail`"),
            "install version 2 (AWS CLI User Guide: Installing or updating to the latest version)",
        ),
        Some(version) => Finding::ok(NAME, version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(dir: &Path, pid: u32) -> StateDir {
        let state_dir = StateDir::find(Some(dir)).expect("a working directory");
        // A pid that no process has keeps an empty start time.
        let start_time = twin_platform::Identity::of(pid).map(|process| process.start_time).unwrap_or_default();
        let text = format!(
            r#"{{"pid":{pid},"start_time":"{start_time}","endpoint":"http://127.0.0.1:1","region":"r","account_id":"1","speed":10,
            "database":{{"host":"h","port":1,"app_secret_file":"f"}}}}"#
        );
        std::fs::write(state_dir.ready_file(), text).expect("written");
        state_dir
    }

    #[test]
    fn a_left_over_record_is_told_from_a_running_lab() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let running = with(dir.path(), std::process::id());
        let found = state(&running, running.running().as_ref());
        assert!(found.mend.is_none() && found.detail.starts_with("running at"), "{found:?}");
        // Above every system's largest pid.
        let stale = with(dir.path(), 2_000_000_000);
        let found = state(&stale, stale.running().as_ref());
        assert_eq!(found.mend.as_deref(), Some(format!("{} down", own_name()).as_str()), "{found:?}");
    }

    #[test]
    fn the_labs_own_port_is_no_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let number = listener.local_addr().expect("bound").port();
        let found = port("AWS port", number, "--port", None);
        assert_eq!(found.mend.as_deref(), Some(format!("{} up --port PORT", own_name()).as_str()));
        if cfg!(target_os = "linux") {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let own = with(dir.path(), std::process::id());
            assert!(port("AWS port", number, "--port", own.running().as_ref()).mend.is_none());
        }
    }
}
