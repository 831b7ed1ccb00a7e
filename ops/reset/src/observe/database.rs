//! The database through the secret: whether it lets us in, and who holds its sessions.

use std::{collections::BTreeMap, time::Duration};

use contract::{DatabaseSecret, names::application_name};
use serde::Serialize;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _, postgres::PgConnectOptions};

use super::Part;

/// How long a log-in may take.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one statement may take; ours only read the catalogue.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Database {
    /// `host:port/database`.
    pub address: String,
    /// Whether the current secret logs in.
    pub login: Login,
    /// Sessions; an error when the log-in failed.
    pub sessions: Part<Sessions>,
}

/// A log-in with the current secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Login {
    /// What came of it.
    pub state: LoginState,
    /// SQLSTATE when PostgreSQL refused.
    pub sqlstate: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What a log-in came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginState {
    /// The database let us in.
    Accepted,
    /// SQLSTATE 28P01 or 28000: wrong password or role.
    Refused,
    /// SQLSTATE 53300: no session left.
    Full,
    /// Anything else: no listener, starting up, timed out.
    Unreachable,
}

/// Who holds sessions. The role sees the names of its own sessions only; others count under an empty name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// Client sessions, our own included.
    pub total: i64,
    /// PostgreSQL's `max_connections`.
    pub max_connections: i64,
    /// Client sessions by `application_name`.
    pub by_application: BTreeMap<String, i64>,
    /// Sessions that the mode `connection_leak` holds.
    pub leaked: i64,
    /// Open transactions that do nothing, longest first.
    pub idle_in_transaction: Vec<HeldTransaction>,
}

/// A transaction that is open and idle: it may hold locks that others wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldTransaction {
    /// Backend process id.
    pub pid: i32,
    /// Who holds it.
    pub application_name: String,
    /// Seconds since the transaction began.
    pub open_s: i64,
}

/// One session of ours, under our own application name.
pub(crate) struct Session(pub(crate) PgConnection);

impl Session {
    /// Logs in with these credentials.
    pub(crate) async fn open(credentials: &DatabaseSecret) -> Result<Self, Login> {
        // Without the password file: the secret decides, not what lies in someone's home.
        let options = PgConnectOptions::new_without_pgpass()
            .host(&credentials.host)
            .port(credentials.port)
            .username(&credentials.username)
            .password(&credentials.password)
            .database(&credentials.dbname)
            .application_name(application_name::RESET)
            .disable_statement_logging();
        match tokio::time::timeout(LOGIN_TIMEOUT, options.connect()).await {
            Ok(Ok(connection)) => Ok(Self(connection)),
            Ok(Err(error)) => Err(Login::failed(&error)),
            Err(_) => Err(Login {
                state: LoginState::Unreachable,
                sqlstate: None,
                error: Some(format!("no answer within {} s", LOGIN_TIMEOUT.as_secs())),
            }),
        }
    }

    /// Says goodbye, so that the server frees the session at once.
    pub(crate) async fn close(self) {
        // Dropping would close the socket as well; a lost goodbye changes nothing for us.
        let _ = tokio::time::timeout(STATEMENT_TIMEOUT, self.0.close()).await;
    }
}

impl Login {
    pub(crate) fn accepted() -> Self {
        Self { state: LoginState::Accepted, sqlstate: None, error: None }
    }

    fn failed(error: &sqlx::Error) -> Self {
        let sqlstate = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
        let state = match sqlstate.as_deref() {
            Some("28P01" | "28000") => LoginState::Refused,
            Some("53300") => LoginState::Full,
            _ => LoginState::Unreachable,
        };
        // Of PostgreSQL's own errors the message alone: sqlx adds the line of the server's source.
        let text = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Self { state, sqlstate, error: Some(text) }
    }

    /// The failure in one line.
    pub(crate) fn reason(&self) -> String {
        let error = self.error.as_deref().unwrap_or("accepted");
        match &self.sqlstate {
            Some(sqlstate) => format!("SQLSTATE {sqlstate}: {error}"),
            None => error.to_owned(),
        }
    }
}

pub(super) async fn look(credentials: &DatabaseSecret) -> Database {
    let address = format!("{}:{}/{}", credentials.host, credentials.port, credentials.dbname);
    let mut session = match Session::open(credentials).await {
        Ok(session) => session,
        Err(login) => {
            let sessions = Part::error(format_args!("cannot log in: {}", login.reason()));
            return Database { address, login, sessions };
        }
    };
    let sessions = match tokio::time::timeout(STATEMENT_TIMEOUT, read_sessions(&mut session.0)).await {
        Ok(sessions) => sessions.into(),
        Err(_) => Part::error(format_args!("no answer within {} s", STATEMENT_TIMEOUT.as_secs())),
    };
    session.close().await;
    Database { address, login: Login::accepted(), sessions }
}

async fn read_sessions(connection: &mut PgConnection) -> Result<Sessions, sqlx::Error> {
    // Of other roles' sessions only database and role are shown; the server's own processes have not both.
    let counted = sqlx::query(
        "SELECT coalesce(application_name, '') AS name, count(*) AS sessions \
         FROM pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL GROUP BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut by_application = BTreeMap::new();
    for row in counted {
        by_application.insert(row.try_get::<String, _>("name")?, row.try_get::<i64, _>("sessions")?);
    }
    let max_connections: i32 =
        sqlx::query_scalar("SELECT current_setting('max_connections')::int").fetch_one(&mut *connection).await?;
    let held = sqlx::query(
        "SELECT pid, coalesce(application_name, '') AS name, \
                extract(epoch FROM now() - xact_start)::bigint AS open_s \
         FROM pg_stat_activity WHERE state = 'idle in transaction' ORDER BY xact_start",
    )
    .fetch_all(&mut *connection)
    .await?;
    let idle_in_transaction = held
        .into_iter()
        .map(|row| {
            Ok(HeldTransaction {
                pid: row.try_get("pid")?,
                application_name: row.try_get("name")?,
                open_s: row.try_get("open_s")?,
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    Ok(Sessions {
        total: by_application.values().sum(),
        max_connections: max_connections.into(),
        leaked: by_application.get(application_name::LEAK).copied().unwrap_or_default(),
        by_application,
        idle_in_transaction,
    })
}

/// Sessions that the mode `connection_leak` still holds.
pub(crate) async fn count_leaked(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
        .bind(application_name::LEAK)
        .fetch_one(connection)
        .await
}
