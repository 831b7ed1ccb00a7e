//! Leaked sessions and forgotten transactions end.
//!
//! The application closes what it leaked as soon as it applies `none`; what it does not close is ended from here, which the
//! same role may do.

use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use contract::{DatabaseSecret, names::application_name};

use crate::{
    Clients, Names, StepError,
    observe::{Login, LoginState, Session, count_leaked, read_secret},
};

/// How long the application may take to close its sessions: one refresh of the parameter (1 s) with room.
const PATIENCE: Duration = Duration::from_millis(3000);
/// Between two counts.
const POLL: Duration = Duration::from_millis(150);

pub(super) async fn end(clients: &Clients, names: &Names, forgotten: &[i32]) -> Result<String, StepError> {
    let stored = read_secret(clients, names).await.map_err(|error| StepError::Impossible(error.to_string()))?;
    let credentials = stored.credentials.map_err(|error| StepError::Impossible(error.to_string()))?;
    let mut session = patient_login(&credentials).await.map_err(|login| StepError::Impossible(login.reason()))?;
    let closed = wait_until_closed(&mut session).await?;
    let ended: i64 = if closed { 0 } else { terminate_leaked(&mut session).await? };
    let freed: i64 = if forgotten.is_empty() { 0 } else { terminate_forgotten(&mut session, forgotten).await? };
    session.close().await;
    let leaked = if closed { "the application closed its own".to_owned() } else { format!("ended {ended} leaked") };
    Ok(format!("{leaked}, ended {freed} forgotten"))
}

/// A full database lets us in as soon as the application closes its first session.
async fn patient_login(credentials: &DatabaseSecret) -> Result<Session, Login> {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_factor(1.5)
        .with_max_delay(Duration::from_millis(500))
        .with_max_times(20);
    (|| Session::open(credentials)).retry(backoff).when(|login: &Login| login.state == LoginState::Full).await
}

async fn wait_until_closed(session: &mut Session) -> Result<bool, StepError> {
    let until = Instant::now() + PATIENCE;
    loop {
        let leaked = count_leaked(&mut session.0).await;
        if leaked.map_err(|source| StepError::Sql { operation: "counting leaked sessions", source })? == 0 {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn terminate_leaked(session: &mut Session) -> Result<i64, StepError> {
    sqlx::query_scalar(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1",
    )
    .bind(application_name::LEAK)
    .fetch_one(&mut session.0)
    .await
    .map_err(|source| StepError::Sql { operation: "ending leaked sessions", source })
}

/// Only those that are still idle in their transaction: a process id may have found a new owner meanwhile.
async fn terminate_forgotten(session: &mut Session, pids: &[i32]) -> Result<i64, StepError> {
    sqlx::query_scalar(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE pid = ANY($1) AND state = 'idle in transaction'",
    )
    .bind(pids)
    .fetch_one(&mut session.0)
    .await
    .map_err(|source| StepError::Sql { operation: "ending forgotten transactions", source })
}
