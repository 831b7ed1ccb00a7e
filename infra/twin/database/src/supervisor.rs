//! The task that owns the server's process: obeys orders and starts a crashed server again, as RDS does.

use std::sync::Arc;

use nix::sys::signal::Signal;
use tokio::{
    process::Child,
    sync::{mpsc, oneshot},
};

use crate::database::{Shared, Status};

/// How long RDS takes to notice and recover a crashed instance without a standby is a minute or so; divided by the speed.
const RECOVERY_S: f64 = 60.0;

/// What the handle asks of the supervisor. Stop, start and reboot are answered when they are *accepted*, as RDS does;
/// the end is answered when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Stop,
    Start,
    Reboot,
    End,
}

type Inbox = mpsc::Receiver<(Order, oneshot::Sender<bool>)>;

/// Runs until [`Order::End`], or until the handle is gone.
pub(crate) async fn run(shared: Arc<Shared>, child: Child, mut inbox: Inbox) {
    let mut running = Some(child);
    loop {
        running = match running {
            Some(child) => match up(&shared, child, &mut inbox).await {
                Next::Run(child) => Some(child),
                Next::Rest => None,
                Next::End => return,
            },
            None => match down(&shared, &mut inbox).await {
                Next::Run(child) => Some(child),
                Next::Rest => None,
                Next::End => return,
            },
        };
    }
}

enum Next {
    Run(Child),
    Rest,
    End,
}

/// While the server runs.
async fn up(shared: &Shared, mut child: Child, inbox: &mut Inbox) -> Next {
    let pid = child.id();
    let order = tokio::select! {
        order = inbox.recv() => order,
        status = child.wait() => {
            if let Some(pid) = pid {
                shared.cluster.spawner.forget(pid);
            }
            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::error!(%status, "PostgreSQL ended by itself; it will be started again");
            shared.set(Status::Failed);
            shared.tell("failure", format!("The database process ended unexpectedly ({status}). Recovery of the DB instance has started."));
            return Next::Rest;
        }
    };
    match order {
        None => {
            shared.cluster.end(&mut child, Signal::SIGINT).await;
            Next::End
        }
        Some((Order::End, reply)) => {
            shared.set(Status::Stopping);
            shared.cluster.end(&mut child, Signal::SIGINT).await;
            shared.set(Status::Stopped);
            let _ = reply.send(true);
            Next::End
        }
        Some((Order::Start, reply)) => {
            let _ = reply.send(false);
            Next::Run(child)
        }
        Some((Order::Stop, reply)) => {
            shared.set(Status::Stopping);
            let _ = reply.send(true);
            shared.cluster.end(&mut child, Signal::SIGINT).await;
            shared.set(Status::Stopped);
            shared.tell("notification", "DB instance stopped");
            Next::Rest
        }
        Some((Order::Reboot, reply)) => {
            shared.set(Status::Rebooting);
            let _ = reply.send(true);
            shared.cluster.end(&mut child, Signal::SIGINT).await;
            shared.tell("availability", "DB instance shutdown");
            launch(shared, "availability", "DB instance restarted").await
        }
    }
}

/// While it does not: stopped on request, or crashed and waiting for its recovery.
async fn down(shared: &Shared, inbox: &mut Inbox) -> Next {
    let crashed = shared.status() == Status::Failed;
    let order = tokio::select! {
        order = inbox.recv() => order,
        () = tokio::time::sleep(shared.speed.wait(RECOVERY_S)), if crashed => {
            return launch(shared, "recovery", "Recovery of the DB instance is complete.").await;
        }
    };
    match order {
        None => Next::End,
        Some((Order::End, reply)) => {
            shared.set(Status::Stopped);
            let _ = reply.send(true);
            Next::End
        }
        Some((Order::Start, reply)) if !crashed => {
            shared.set(Status::Starting);
            let _ = reply.send(true);
            launch(shared, "notification", "DB instance started").await
        }
        // Neither can a stopped instance be stopped or rebooted, nor a failed one anything.
        Some((_, reply)) => {
            let _ = reply.send(false);
            Next::Rest
        }
    }
}

async fn launch(shared: &Shared, category: &'static str, message: &str) -> Next {
    match shared.cluster.launch().await {
        Ok(child) => {
            shared.set(Status::Available);
            shared.tell(category, message);
            tracing::info!(port = shared.cluster.master.port, "PostgreSQL runs again");
            Next::Run(child)
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "PostgreSQL could not be started; it will be tried again"
            );
            shared.set(Status::Failed);
            shared.tell("failure", format!("The DB instance could not be started: {error}"));
            Next::Rest
        }
    }
}
