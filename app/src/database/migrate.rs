//! The schema. The files are built into the program, so that the image needs nothing beside it.

use sqlx::{
    PgConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::DatabaseError;

/// Runs what has not run yet, under sqlx's advisory lock.
pub(super) async fn run(session: &mut PgConnection) -> Result<(), DatabaseError> {
    let visits = Migration::new(
        1,
        "visits".into(),
        MigrationType::Simple,
        include_str!("../../migrations/0001_visits.sql").into_sql_str(),
        false,
    );
    let mut migrator = Migrator::with_migrations(vec![visits]);
    // During a rolling deployment the older version must start against the newer schema.
    migrator.set_ignore_missing(true);
    migrator.run_direct(None, session, false).await.map_err(DatabaseError::Migration)
}
