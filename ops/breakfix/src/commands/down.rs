//! `down`: ends the lab that runs in the background. Idempotent; only the process on record, by pid and start time.

use std::{fs::File, process::ExitCode, time::Instant};

use anyhow::{Context, Result};
use clap::Args;
use nix::sys::signal::Signal;

use crate::{
    commands::own_name,
    lab::{Ready, StateDir},
    output,
    problem::failure,
    process,
    twin::END_PATIENCE,
};

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
                let swept = sweep(state_dir).await?;
                let _ = std::fs::remove_file(state_dir.ready_file());
                output::say(format!(
                    "the lab (pid {}) had already ended without tidying up; {swept} processes it left are ended now",
                    ready.identity.pid
                ));
            }
            None => output::say(format!("no lab is running in {}", state_dir.path().display())),
        }
        return Ok(ExitCode::SUCCESS);
    };
    let begin = Instant::now();
    ready.identity.signal(Signal::SIGTERM);
    if process::wait_gone(&ready.identity, END_PATIENCE).await {
        return Ok(ended(&ready, begin, ""));
    }
    if !arguments.force {
        return Err(failure(
            format!("the lab (pid {}) has not ended after {} s", ready.identity.pid, END_PATIENCE.as_secs()),
            format!("kill it with: {} down --force", own_name()),
        ));
    }
    ready.identity.signal(Signal::SIGKILL);
    process::wait_gone(&ready.identity, END_PATIENCE).await;
    sweep(state_dir).await?;
    let _ = std::fs::remove_file(state_dir.ready_file());
    Ok(ended(&ready, begin, ", killed"))
}

fn ended(ready: &Ready, begin: Instant, how: &str) -> ExitCode {
    let took = begin.elapsed().as_secs_f64();
    output::say(format!("the lab at {} is ended (pid {}, {took:.1} s{how})", ready.endpoint, ready.identity.pid));
    ExitCode::SUCCESS
}

/// Ends what a killed twin left on its record. Linux ends it with the twin; other systems do not. Says how many there were.
async fn sweep(state_dir: &StateDir) -> Result<usize> {
    let record = state_dir.process_record();
    let ended = tokio::task::spawn_blocking(move || twin_platform::process::end_orphans(&record)).await?;
    Ok(ended.context("ending what the lab left")?.len())
}

fn starting(state_dir: &StateDir) -> bool {
    File::open(state_dir.lock_file())
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}
