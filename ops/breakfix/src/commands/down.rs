//! `down`: ends the lab that runs in the background. Idempotent; only the process on record, by pid and start time.

use std::{
    fs::File,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use nix::sys::signal::Signal;
use serde::Deserialize;

use crate::{
    lab::{Ready, StateDir},
    output,
    problem::failure,
    process,
    twin::END_PATIENCE,
};

/// How long a process without a twin may take to end.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(5);

/// One line of the twin's record of its children.
#[derive(Deserialize)]
struct Recorded {
    pid: u32,
    start_time: String,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Kill the twin when it does not end in time; its children are ended with it.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(arguments: &Arguments, state_dir: &StateDir) -> Result<ExitCode> {
    let Some(ready) = state_dir.running() else {
        if starting(state_dir) {
            return Err(failure(
                format!("an `up` is just starting in {}", state_dir.path().display()),
                "end it with Ctrl-C in its terminal, or wait until it is up",
            ));
        }
        match state_dir.last() {
            Some(ready) => {
                let swept = sweep(state_dir).await;
                let _ = std::fs::remove_file(state_dir.ready_file());
                output::say(format!(
                    "the lab (pid {}) had already ended without tidying up; {swept} processes it left are ended now",
                    ready.pid
                ));
            }
            None => output::say(format!("no lab is running in {}", state_dir.path().display())),
        }
        return Ok(ExitCode::SUCCESS);
    };
    let begin = Instant::now();
    process::signal(ready.pid, &ready.start_time, Signal::SIGTERM);
    if process::wait_gone(ready.pid, &ready.start_time, END_PATIENCE).await {
        return Ok(ended(&ready, begin, ""));
    }
    if !arguments.force {
        return Err(failure(
            format!("the lab (pid {}) has not ended after {} s", ready.pid, END_PATIENCE.as_secs()),
            "kill it with: breakfix down --force",
        ));
    }
    process::signal(ready.pid, &ready.start_time, Signal::SIGKILL);
    process::wait_gone(ready.pid, &ready.start_time, END_PATIENCE).await;
    sweep(state_dir).await;
    let _ = std::fs::remove_file(state_dir.ready_file());
    Ok(ended(&ready, begin, ", killed"))
}

fn ended(ready: &Ready, begin: Instant, how: &str) -> ExitCode {
    let took = begin.elapsed().as_secs_f64();
    output::say(format!("the lab at {} is ended (pid {}, {took:.1} s{how})", ready.endpoint, ready.pid));
    ExitCode::SUCCESS
}

/// Ends what a killed twin left on its record. Linux ends it with the twin; other systems do not. Says how many there were.
async fn sweep(state_dir: &StateDir) -> usize {
    let recorded: Vec<Recorded> = std::fs::read(state_dir.process_record())
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let mut ended = 0;
    for Recorded { pid, start_time } in recorded {
        // Tasks know SIGTERM as their end; PostgreSQL takes SIGINT for a fast shutdown and SIGTERM for one that waits for its
        // clients, who are ended here too.
        if process::signal(pid, &start_time, Signal::SIGTERM) {
            ended += 1;
            if !process::wait_gone(pid, &start_time, ORPHAN_PATIENCE).await {
                process::signal(pid, &start_time, Signal::SIGKILL);
            }
        }
    }
    ended
}

fn starting(state_dir: &StateDir) -> bool {
    File::open(state_dir.lock_file())
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}
