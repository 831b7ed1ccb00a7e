//! What a process has used: CPU time and resident memory, from `/proc` on Linux and from `ps` elsewhere.

use std::time::Duration;

/// CPU time and memory of a process, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time since the start, with that of children that have ended and been waited for.
    pub cpu: Duration,
    /// Resident size in bytes.
    pub resident_bytes: u64,
}

impl Usage {
    /// Of one process; none when it does not run.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self { cpu: cpu(pid)?, resident_bytes: resident_bytes(pid)? })
    }

    /// Of a process and the children it has now. Memory that they share counts for each of them.
    pub fn of_family(pid: u32) -> Option<Self> {
        let mut sum = Self::of(pid)?;
        for child in children(pid).into_iter().filter_map(Self::of) {
            sum.cpu += child.cpu;
            sum.resident_bytes += child.resident_bytes;
        }
        Some(sum)
    }
}

/// User and system time (proc(5): `stat`, fields 14 to 17, in clock ticks of a hundredth second).
#[cfg(target_os = "linux")]
fn cpu(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may hold anything.
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    let ticks: Option<u64> = fields.map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks? * 10))
}

/// Resident memory of one process in bytes.
#[cfg(target_os = "linux")]
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(target_os = "linux")]
fn children(pid: u32) -> Vec<u32> {
    // Each thread has its own.
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let listed: String =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok()).collect();
    listed.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

#[cfg(not(target_os = "linux"))]
fn ps(arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new("ps").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `[[dd-]hh:]mm:ss[.cc]`, as `ps` prints it.
#[cfg(not(target_os = "linux"))]
fn cpu(pid: u32) -> Option<Duration> {
    let text = ps(&["-o", "time=", "-p", &pid.to_string()])?;
    let text = text.trim().replace('-', ":");
    let factors = [1.0, 60.0, 3600.0, 86_400.0];
    let seconds: Option<f64> =
        text.rsplit(':').zip(factors).map(|(part, factor)| Some(part.parse::<f64>().ok()? * factor)).sum();
    seconds.map(Duration::from_secs_f64)
}

/// Resident memory of one process in bytes.
#[cfg(not(target_os = "linux"))]
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let kib: u64 = ps(&["-o", "rss=", "-p", &pid.to_string()])?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(not(target_os = "linux"))]
fn children(pid: u32) -> Vec<u32> {
    let table = ps(&["-ax", "-o", "pid=,ppid="]).unwrap_or_default();
    let child = |line: &str| {
        let (child, parent) = line.trim().split_once(char::is_whitespace)?;
        (parent.trim().parse() == Ok(pid)).then(|| child.parse().ok())?
    };
    table.lines().filter_map(child).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_size_and_its_work_is_counted() {
        let own = std::process::id();
        let before = Usage::of(own).expect("this process runs");
        assert!(before.resident_bytes > 100_000, "{before:?}");
        let end = std::time::Instant::now() + Duration::from_secs(10);
        while Usage::of(own).expect("this process runs").cpu < before.cpu + Duration::from_millis(20) {
            assert!(std::time::Instant::now() < end, "two ticks of work are not seen");
            std::hint::black_box((0..100_000_u64).sum::<u64>());
        }
    }

    #[test]
    fn a_child_belongs_to_the_family() {
        let own = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("sleep runs");
        assert!(children(own).contains(&child.id()), "{:?}", children(own));
        assert!(Usage::of_family(own).is_some());
        child.kill().expect("it runs");
        child.wait().expect("it ended");
    }
}
