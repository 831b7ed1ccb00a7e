//! `lock_contention`: `/db` takes the lock of the row that every `/db` call updates, and keeps it.

use sqlx::{Connection, PgConnection};

use super::slow_query::sleep_in_database;
use crate::database::{DatabaseError, sql};

/// Holds the row lock for that long, in one transaction.
///
/// # Errors
/// What the database answers.
pub(crate) async fn hold_lock(session: &mut PgConnection, hold_ms: u64) -> Result<(), DatabaseError> {
    let mut transaction = sql("BEGIN", session.begin()).await?;
    let lock = sqlx::query("SELECT count FROM visits WHERE id = 1 FOR UPDATE");
    sql("SELECT visits FOR UPDATE", lock.execute(&mut *transaction)).await?;
    sleep_in_database(&mut transaction, hold_ms).await?;
    sql("COMMIT", transaction.commit()).await
}
