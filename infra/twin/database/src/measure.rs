//! What CloudWatch shows of an RDS instance, measured on the server, its processes and its disk.

use std::{path::Path, time::Duration};

use sqlx::{Row as _, postgres::PgRow};
use twin_platform::Usage;

use crate::{
    Database, Status,
    session::{Session, SessionError},
};

/// One look. What is counted since the server's start is a total; the rest is how it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measurement {
    /// Sessions of clients, the looker's own left out.
    pub connections: i64,
    /// Total of deadlocks.
    pub deadlocks: i64,
    /// Total of reads from disk, and their time.
    pub reads: Io,
    /// Total of writes to disk, and their time.
    pub writes: Io,
    /// CPU time of all its processes, and their memory.
    pub usage: Usage,
    /// Bytes free on the data directory's disk.
    pub free_storage_bytes: u64,
}

/// Operations and the time that they took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Io {
    /// How many.
    pub count: i64,
    /// How long in all.
    pub time: Duration,
}

impl Io {
    /// What came since an earlier look; a restarted server begins at zero.
    pub fn since(self, before: Self) -> Self {
        if self.count < before.count {
            return self;
        }
        Self { count: self.count - before.count, time: self.time.saturating_sub(before.time) }
    }
}

impl Database {
    /// Looks at the server; none while it is not available.
    ///
    /// # Errors
    /// When the master cannot log in or ask.
    pub async fn measure(&self) -> Result<Option<Measurement>, SessionError> {
        if self.status() != Status::Available {
            return Ok(None);
        }
        let (master, folder) = self.place();
        let mut session = Session::open(master).await?;
        let row = session.row("measuring", STATISTICS).await?;
        // Version 16 counts all reads and writes in one view; before it, the write-ahead log has a view of its own.
        let io = if self.major_version() >= 16 { IO_SINCE_16 } else { IO_BEFORE_16 };
        let io = session.row("measuring input and output", io).await?;
        session.close().await;
        let io = |count: &str, time_ms: &str| Io {
            count: io.try_get(count).unwrap_or_default(),
            time: Duration::from_secs_f64(io.try_get::<f64, _>(time_ms).unwrap_or_default().max(0.0) / 1000.0),
        };
        let number = |row: &PgRow, column: &str| row.try_get(column).unwrap_or_default();
        Ok(Some(Measurement {
            connections: number(&row, "connections"),
            deadlocks: number(&row, "deadlocks"),
            reads: io("reads", "read_ms"),
            writes: io("writes", "write_ms"),
            usage: self.postmaster().and_then(Usage::of_family).unwrap_or_default(),
            free_storage_bytes: free_bytes(folder).unwrap_or_default(),
        }))
    }
}

/// `DatabaseConnections` counts client sessions; the twin's own are as RDS's own, which it does not show.
const STATISTICS: &str = "SELECT \
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'twin') AS connections, \
    (SELECT coalesce(sum(deadlocks), 0)::bigint FROM pg_stat_database) AS deadlocks";

const IO_SINCE_16: &str = "SELECT coalesce(sum(reads), 0)::bigint AS reads, coalesce(sum(read_time), 0)::float8 AS read_ms, \
    coalesce(sum(writes), 0)::bigint AS writes, coalesce(sum(write_time), 0)::float8 AS write_ms FROM pg_stat_io";

const IO_BEFORE_16: &str = "SELECT \
    (SELECT coalesce(sum(blks_read), 0)::bigint FROM pg_stat_database) AS reads, \
    (SELECT coalesce(sum(blk_read_time), 0)::float8 FROM pg_stat_database) AS read_ms, \
    wal_write AS writes, wal_write_time::float8 AS write_ms FROM pg_stat_wal";

fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(folder).ok()?;
    // The types differ between systems.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "u32 on some systems, u64 on others")]
    Some(disk.blocks_available() as u64 * disk.fragment_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_of_a_restarted_server_begin_at_zero() {
        let io = |count, ms| Io { count, time: Duration::from_millis(ms) };
        assert_eq!(io(10, 50).since(io(4, 20)), io(6, 30));
        assert_eq!(io(3, 5).since(io(4, 20)), io(3, 5));
    }

    #[test]
    fn a_disk_has_room() {
        assert!(free_bytes(Path::new("/")).is_some_and(|bytes| bytes > 0));
    }
}
