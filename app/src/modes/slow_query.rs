//! `slow_query`: `/db` runs `pg_sleep`, so that the time is spent in the database and shows in `pg_stat_activity`.

use sqlx::PgConnection;

use crate::database::{DatabaseError, sql};

/// Sleeps in the database.
///
/// # Errors
/// What the database answers; a statement that outlives the request's deadline is cancelled (57014).
pub(crate) async fn sleep_in_database(session: &mut PgConnection, ms: u64) -> Result<(), DatabaseError> {
    #[allow(clippy::cast_precision_loss, reason = "an hour in milliseconds fits an f64 exactly")]
    let seconds = ms as f64 / 1000.0;
    sql("SELECT pg_sleep", sqlx::query("SELECT pg_sleep($1)").bind(seconds).execute(session)).await?;
    Ok(())
}

/// Asks PostgreSQL to look, while it sleeps or waits for a lock, whether this session's socket is still open: when the mode
/// is left the socket is closed, and the statement must end with it. A server older than version 14, or on a platform that
/// cannot look, refuses; there a statement ends by its own time.
pub(crate) async fn end_with_the_socket(session: &mut PgConnection) {
    let setting = sqlx::query("SET client_connection_check_interval = '100ms'").execute(session).await;
    if let Err(error) = setting {
        tracing::debug!(%error, "statements go on after their session is closed");
    }
}
