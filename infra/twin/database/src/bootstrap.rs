//! What a new server is filled with: the application's role, and its database that it owns.

use crate::{APPLICATION, Credentials, session::Session, session::SessionError};

/// Makes the application's role with this password, and its database. The role may log in and sees its own sessions, as every
/// role does in `pg_stat_activity`; it is no superuser, so `superuser_reserved_connections` are not for it.
pub(crate) async fn fill(master: &Credentials, application_password: &str) -> Result<(), SessionError> {
    let mut session = Session::open(master).await?;
    session
        .run(
            "creating the application's role",
            "CREATE ROLE %I LOGIN PASSWORD %L",
            &[APPLICATION, application_password],
        )
        .await?;
    session
        .run("creating the application's database", "CREATE DATABASE %I OWNER %I", &[APPLICATION, APPLICATION])
        .await?;
    session.close().await;
    Ok(())
}
