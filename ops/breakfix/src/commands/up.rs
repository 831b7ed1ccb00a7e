//! `up`: from nothing to a service that answers, in the foreground until Ctrl-C or left running with `--detach`.

mod attend;
mod greeting;

use std::{
    fs::{File, TryLockError},
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use clap::Args;

use crate::{
    binaries,
    commands::{gameday, own_name, program},
    disk,
    lab::{Lab, Ready, StateDir},
    number::within,
    output, postgres,
    problem::failure,
    process,
    resources::{self, Created, Deployments, Wanted},
    signals::Signals,
    steady,
    twin::{Settings, Twin},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Leave it running in the background; `breakfix down` ends it.
    #[arg(long)]
    detach: bool,
    /// Port of the AWS endpoint on 127.0.0.1.
    #[arg(long, env = "LAB_PORT", default_value_t = 4566)]
    port: u16,
    /// Port of the load balancer's listener on 127.0.0.1, from 1: a listener has the port that it was created with.
    #[arg(long, env = "LAB_BALANCER_PORT", default_value_t = 8000, value_parser = clap::value_parser!(u16).range(1..))]
    balancer_port: u16,
    /// Who deploys the service: ECS task by task, or CodeDeploy blue/green.
    #[arg(long, env = "LAB_DEPLOYMENTS", value_enum, default_value_t)]
    deployments: Deployments,
    /// Port of the listener on which CodeDeploy shows a new version before it gets traffic. Only with
    /// `--deployments code-deploy`.
    #[arg(long, env = "LAB_TEST_PORT", default_value_t = 8001, value_parser = clap::value_parser!(u16).range(1..))]
    test_port: u16,
    /// Port of PostgreSQL on 127.0.0.1; 0 takes a free one.
    #[arg(long, env = "LAB_DB_PORT", default_value_t = 0)]
    db_port: u16,
    /// Divides every waiting of the platform (health-check interval, deregistration delay, backoff). 1 waits as AWS does; past
    /// 30 or so a busy laptop does not keep up with its own health checks. At most 100.
    #[arg(long, env = "LAB_SPEED", default_value_t = 10.0, value_parser = within(1.0, 100.0), allow_negative_numbers = true)]
    speed: f64,
    /// Region of the account on the laptop. Version 1 of the aws CLI asks AWS itself for SQS in most regions, and in us-east-1 for RDS
    /// too, unless it is given `--endpoint-url $AWS_ENDPOINT_URL`; so us-east-1 is not the default.
    #[arg(long, env = "LAB_REGION", default_value = "us-west-2")]
    region: String,
    /// Directory with PostgreSQL's programs; default: the newest on this machine, installed when there is none.
    #[arg(long, env = "LAB_PG_BIN", value_name = "DIRECTORY")]
    pg_bin: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments, state_dir: &StateDir) -> Result<ExitCode> {
    let mut signals = Signals::listen()?;
    disk::prepare(state_dir.path())?;
    let lock = lock(state_dir)?;
    if let Some(ready) = state_dir.running() {
        return Err(already(&format!("at {} (pid {})", ready.endpoint, ready.identity.pid)));
    }

    // What game days changed in a lab that has ended is gone with it.
    gamedays::lapse(&gameday::folder(state_dir)).context("closing earlier game days")?;

    let built = binaries::find()?;
    let (given, tools) = (arguments.pg_bin.clone(), state_dir.tools());
    let postgres = tokio::task::spawn_blocking(move || postgres::find_or_install(given.as_deref(), &tools));
    let postgres = tokio::select! {
        postgres = postgres => postgres.context("looking for PostgreSQL")??,
        () = signals.next() => return Err(interrupted("nothing was started")),
    };
    check_port(arguments.port, "--port")?;
    check_port(arguments.balancer_port, "--balancer-port")?;
    if arguments.deployments == Deployments::CodeDeploy {
        check_port(arguments.test_port, "--test-port")?;
    }

    let begin = Instant::now();
    let settings = Settings {
        port: arguments.port,
        speed: arguments.speed,
        region: arguments.region.clone(),
        db_port: arguments.db_port,
    };
    let wanted = Wanted {
        balancer_port: arguments.balancer_port,
        test_port: arguments.test_port,
        deployments: arguments.deployments,
    };
    let mut twin = Twin::start(&built, &postgres, &settings, state_dir)?;
    let started = tokio::select! {
        started = bring_up(&mut twin, wanted) => started,
        () = signals.next() => Err(interrupted("what was started is ended again")),
    };
    let started = match started {
        Ok(started) => started,
        Err(error) => {
            twin.end(&mut signals).await?;
            return Err(error);
        }
    };
    greeting::print(&started, state_dir, begin.elapsed());
    if arguments.detach {
        output::say(format!("\nIt runs in the background; end it with: {} down", own_name()));
        return Ok(ExitCode::SUCCESS);
    }
    let code = attend::run(&mut twin, &started, &mut signals).await;
    drop(lock);
    code
}

/// A lab that answers.
pub(crate) struct Started {
    pub ready: Ready,
    pub created: Created,
    pub config: SdkConfig,
}

async fn bring_up(twin: &mut Twin, wanted: Wanted) -> Result<Started> {
    let ready = twin.ready().await?;
    let config = Lab::Laptop(Box::new(ready.clone())).aws().await?;
    let steady = async {
        let created = resources::create(&config, &ready, wanted).await?;
        steady::wait(&config, &created).await?;
        anyhow::Ok(created)
    };
    let created = tokio::select! {
        created = steady => created?,
        status = twin.wait() => return Err(twin.ended(status?)),
    };
    Ok(Started { ready, created, config })
}

/// Two `up` at once in one directory would fight over its files; the system frees the lock however we end.
fn lock(state_dir: &StateDir) -> Result<File> {
    let path = state_dir.lock_file();
    let opened = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let mut file = opened.with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).context("writing the lock file")?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            Err(already(&format!("in {} (attended by pid {})", state_dir.path().display(), holder.trim())))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
    }
}

fn already(place: &str) -> anyhow::Error {
    let name = own_name();
    failure(
        format!("a lab is already running {place}"),
        format!(
            "see it with `{name} status`, end it with `{name} down`, or start another: \
             {} up --state-dir DIRECTORY --port PORT --balancer-port PORT",
            program()
        ),
    )
}

fn interrupted(state: &str) -> anyhow::Error {
    failure(format!("interrupted before the lab was up; {state}"), format!("start again with `{} up`", own_name()))
}

fn check_port(port: u16, flag: &str) -> Result<()> {
    if port == 0 {
        return Ok(());
    }
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|error| {
        let who = match process::listener(port) {
            Some((name, pid)) => match process::argument(pid, "--state-dir").filter(|_| name == "twin") {
                Some(state_dir) => format!("taken by the lab in {state_dir} (pid {pid})"),
                None => format!("taken by {name} (pid {pid})"),
            },
            None => error.to_string(),
        };
        failure(format!("port {port} is not free: {who}"), format!("choose another with {flag} PORT"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_itself_its_holder_and_the_mend() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let error = check_port(port, "--balancer-port").expect_err("taken");
        assert!(error.to_string().starts_with(&format!("port {port} is not free: ")), "{error}");
        if cfg!(target_os = "linux") {
            assert!(error.to_string().contains(&format!("(pid {})", std::process::id())), "{error}");
        }
        let hint = crate::problem::Problem::of(&error).and_then(|problem| problem.hint.clone());
        assert_eq!(hint.as_deref(), Some("choose another with --balancer-port PORT"));
    }

    #[test]
    fn a_directory_has_one_up_at_a_time() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let state_dir = StateDir::find(Some(dir.path())).expect("a working directory");
        let first = lock(&state_dir).expect("free");
        let error = lock(&state_dir).expect_err("held").to_string();
        assert!(error.contains(&format!("attended by pid {}", std::process::id())), "{error}");
        drop(first);
        lock(&state_dir).expect("free again");
    }
}
