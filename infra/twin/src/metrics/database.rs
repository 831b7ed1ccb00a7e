//! `AWS/RDS` ("Amazon CloudWatch metrics for Amazon RDS"), read from PostgreSQL, its processes, its disk and this machine.

use std::time::Duration;

use tokio::time::Instant;
use twin_database::{IDENTIFIER, Measurement};
use twin_platform::seam::Datum;

use super::{Writer, count, dimensions};

/// Remembers the last sample.
#[derive(Default)]
pub(super) struct Instance {
    before: Option<(Instant, Measurement)>,
}

impl Instance {
    pub(super) fn sample(&mut self, seen: Measurement, now: Instant, now_ms: i64) -> Vec<Datum> {
        let mut data = Vec::new();
        let of_instance = dimensions([("DBInstanceIdentifier", IDENTIFIER)]);
        let mut writer = Writer { namespace: "AWS/RDS", timestamp_ms: now_ms, data: &mut data };
        let mut put = |name, unit, value| writer.value(&of_instance, name, unit, value);
        put("DatabaseConnections", "Count", signed(seen.connections));
        put("FreeStorageSpace", "Bytes", count(seen.free_storage_bytes));
        if let Some(bytes) = available_memory() {
            put("FreeableMemory", "Bytes", count(bytes));
        }
        if let Some((at, before)) = self.before.replace((now, seen)) {
            let elapsed_s = now.duration_since(at).as_secs_f64().max(0.001);
            let cpus = std::thread::available_parallelism().map_or(1.0, |cpus| count(cpus.get() as u64));
            let cpu_s = seen.usage.cpu.saturating_sub(before.usage.cpu).as_secs_f64();
            put("CPUUtilization", "Percent", (cpu_s / elapsed_s / cpus * 100.0).min(100.0));
            put("Deadlocks", "Count/Second", signed((seen.deadlocks - before.deadlocks).max(0)) / elapsed_s);
            let (reads, writes) = (seen.reads.since(before.reads), seen.writes.since(before.writes));
            put("ReadIOPS", "Count/Second", signed(reads.count) / elapsed_s);
            put("WriteIOPS", "Count/Second", signed(writes.count) / elapsed_s);
            put("ReadLatency", "Seconds", mean(reads.time, reads.count));
            put("WriteLatency", "Seconds", mean(writes.time, writes.count));
        }
        data
    }
}

fn mean(time: Duration, of: i64) -> f64 {
    if of > 0 { time.as_secs_f64() / signed(of) } else { 0.0 }
}

#[allow(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn signed(number: i64) -> f64 {
    number as f64
}

/// What this machine could still give: the instance has no memory of its own.
fn available_memory() -> Option<u64> {
    let memory = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_database::Io;
    use twin_platform::Usage;

    #[test]
    fn rates_are_of_what_came_between_two_looks() {
        let look = |cpu_ms, reads| Measurement {
            connections: 9,
            reads: Io { count: reads, time: Duration::from_millis(reads.unsigned_abs() * 2) },
            usage: Usage { cpu: Duration::from_millis(cpu_ms), resident_bytes: 0 },
            ..Measurement::default()
        };
        let (mut instance, now) = (Instance::default(), Instant::now());
        let first = instance.sample(look(100, 10), now, 1);
        assert!(first.iter().any(|datum| datum.name == "DatabaseConnections" && datum.values == [(9.0, 1.0)]));
        assert!(!first.iter().any(|datum| datum.name == "CPUUtilization"), "one look is no rate");
        let data = instance.sample(look(300, 30), now + Duration::from_secs(10), 2);
        let value = |name: &str| data.iter().find(|datum| datum.name == name).map(|datum| datum.values[0].0);
        assert_eq!((value("ReadIOPS"), value("ReadLatency")), (Some(2.0), Some(0.002)));
        assert!(value("CPUUtilization").is_some_and(|percent| percent > 0.0 && percent <= 2.0), "{data:?}");
    }
}
