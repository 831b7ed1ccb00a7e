//! The secret and the database agree again.
//!
//! The current version of the secret is what the application will use, so the database is brought to it. Only when the
//! current version is no credential at all, or leads to no database, does the secret go back to a version that logs in.

use std::time::{Duration, Instant};

use backon::{ConstantBuilder, Retryable as _};
use contract::DatabaseSecret;
use sqlx::AssertSqlSafe;

use crate::{
    AwsError, Clients, Names, StepError,
    observe::{Login, LoginState, Secret, Session, StoredSecret, read_secret, read_version},
};

/// How long a rotation may take until the new version logs in. In AWS a rotation function starts cold.
const ROTATION_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks at a rotation.
const ROTATION_POLL: Duration = Duration::from_millis(250);

pub(super) async fn repair(clients: &Clients, names: &Names) -> Result<String, StepError> {
    let stored = read(clients, names).await?;
    let current = match &stored.credentials {
        Ok(current) => current,
        Err(error) => return go_back(clients, names, &stored.secret, &error.to_string()).await,
    };
    // A database that is just starting is not out of reach for good.
    let backoff = ConstantBuilder::default().with_delay(Duration::from_millis(300)).with_max_times(10);
    let unreachable = |login: &Login| login.state == LoginState::Unreachable;
    let login = match (|| Session::open(current)).retry(backoff).when(unreachable).await {
        Ok(session) => {
            session.close().await;
            return Ok("the current version logs in by now".to_owned());
        }
        Err(login) => login,
    };
    match login.state {
        LoginState::Refused => {}
        LoginState::Unreachable => return go_back(clients, names, &stored.secret, &login.reason()).await,
        LoginState::Full | LoginState::Accepted => return Err(StepError::Impossible(login.reason())),
    }
    if let Some((version, mut session, old)) = working_version(clients, names, &stored.secret).await
        && old.username == current.username
    {
        set_password(&mut session, current).await?;
        session.close().await;
        return confirm(current, format!("ALTER ROLE, logged in with version {version}")).await;
    }
    rotate(clients, names).await
}

async fn read(clients: &Clients, names: &Names) -> Result<StoredSecret, StepError> {
    read_secret(clients, names).await.map_err(|error| StepError::Impossible(error.to_string()))
}

/// A version other than the current one that logs in: what a rotation was about to set comes before what it replaced.
async fn working_version(
    clients: &Clients,
    names: &Names,
    secret: &Secret,
) -> Option<(String, Session, DatabaseSecret)> {
    let mut others: Vec<_> =
        secret.versions.iter().filter(|version| Some(&version.id) != secret.current_version.as_ref()).collect();
    others.sort_by_key(|version| !version.stages.iter().any(|stage| stage == "AWSPENDING"));
    for version in others {
        let Ok(credentials) = read_version(clients, names, Some(&version.id)).await else { continue };
        if let Ok(session) = Session::open(&credentials).await {
            return Some((version.id.clone(), session, credentials));
        }
    }
    None
}

/// ALTER ROLE takes no bind parameters, so PostgreSQL itself quotes name and password into the statement.
async fn set_password(session: &mut Session, wanted: &DatabaseSecret) -> Result<(), StepError> {
    let statement: String = sqlx::query_scalar("SELECT format('ALTER ROLE %I WITH PASSWORD %L', $1::text, $2::text)")
        .bind(&wanted.username)
        .bind(&wanted.password)
        .fetch_one(&mut session.0)
        .await
        .map_err(|source| StepError::Sql { operation: "quoting the new password", source })?;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut session.0)
        .await
        .map_err(|source| StepError::Sql { operation: "ALTER ROLE to the secret's password", source })?;
    Ok(())
}

async fn confirm(current: &DatabaseSecret, means: String) -> Result<String, StepError> {
    match Session::open(current).await {
        Ok(session) => {
            session.close().await;
            Ok(means)
        }
        Err(login) => Err(StepError::Impossible(format!("{means}, but the log-in still fails: {}", login.reason()))),
    }
}

async fn go_back(clients: &Clients, names: &Names, secret: &Secret, why: &str) -> Result<String, StepError> {
    let Some((version, session, _)) = working_version(clients, names, secret).await else {
        return Err(StepError::Impossible(format!(
            "the current version leads to no database ({why}), and no other version of the secret logs in"
        )));
    };
    session.close().await;
    clients
        .secretsmanager
        .update_secret_version_stage()
        .secret_id(&names.secret)
        .version_stage("AWSCURRENT")
        .move_to_version_id(&version)
        .set_remove_from_version_id(secret.current_version.clone())
        .send()
        .await
        .map_err(AwsError::from_sdk("secretsmanager:UpdateSecretVersionStage"))?;
    Ok(format!("AWSCURRENT moved to version {version}, which logs in"))
}

/// The last resort: Secrets Manager sets a new password with the rights that the secret's own role lacks.
async fn rotate(clients: &Clients, names: &Names) -> Result<String, StepError> {
    let rotated = clients
        .secretsmanager
        .rotate_secret()
        .secret_id(&names.secret)
        .rotate_immediately(true)
        .send()
        .await
        .map_err(AwsError::from_sdk("secretsmanager:RotateSecret"))?;
    let until = Instant::now() + ROTATION_TIMEOUT;
    loop {
        let stored = read(clients, names).await?;
        let reason = match &stored.credentials {
            Err(error) => error.to_string(),
            Ok(credentials) => match Session::open(credentials).await {
                Ok(session) => {
                    session.close().await;
                    let version = rotated.version_id.as_deref().unwrap_or("of unknown id");
                    return Ok(format!("RotateSecret made version {version}, which logs in"));
                }
                Err(login) => login.reason(),
            },
        };
        if Instant::now() >= until {
            let limit_s = ROTATION_TIMEOUT.as_secs();
            return Err(StepError::Impossible(format!("no log-in within {limit_s} s of RotateSecret: {reason}")));
        }
        tokio::time::sleep(ROTATION_POLL).await;
    }
}
