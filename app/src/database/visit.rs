//! The one business statement: count a visit. Every call updates the same row, as a counter in a real service would.

use futures_util::future::{BoxFuture, FutureExt};
use sqlx::Row;

use super::{Database, DatabaseError, sql};
use crate::{
    modes::{self, DatabaseFaults},
    telemetry::{statement_span, traced},
};

const STATEMENT: &str = "UPDATE visits SET count = count + 1 WHERE id = 1 RETURNING count, pg_backend_pid() AS pid, current_setting('server_version') AS version";

/// What the database answered.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) count: i64,
    pub(crate) backend_pid: i32,
    pub(crate) server_version: String,
}

/// Counts a visit, slowed down or locked as the request's faults say. Dropped half-way it closes its session.
///
/// # Errors
/// [`DatabaseError`].
pub(crate) fn visit(database: &Database, faults: DatabaseFaults) -> BoxFuture<'_, Result<Visit, DatabaseError>> {
    let visit = async move {
        match once(database, &faults).await {
            // A database that was emptied, or was not there when this task started.
            Err(error) if error.is_missing_table() => {
                database.migrate().await?;
                once(database, &faults).await
            }
            result => result,
        }
    };
    visit.boxed()
}

async fn once(database: &Database, faults: &DatabaseFaults) -> Result<Visit, DatabaseError> {
    let mut session = database.session().await?;
    let (connection, login) = session.parts();
    let visit = traced(statement_span("UPDATE", "visits", STATEMENT, login), async {
        if !faults.held_by.is_empty() {
            modes::end_with_the_socket(connection).await;
        }
        if let Some(ms) = faults.slow_ms {
            modes::sleep_in_database(connection, ms).await?;
        }
        if let Some(ms) = faults.hold_ms {
            modes::hold_lock(connection, ms).await?;
        }
        let row = sql("UPDATE visits", sqlx::query(STATEMENT).fetch_one(&mut *connection)).await?;
        let column = |source| DatabaseError::Sql { operation: "read the answer", source };
        Ok::<_, DatabaseError>(Visit {
            count: row.try_get("count").map_err(column)?,
            backend_pid: row.try_get("pid").map_err(column)?,
            server_version: row.try_get("version").map_err(column)?,
        })
    })
    .await?;
    session.release();
    Ok(visit)
}
