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
