//! Waiting for a process to end, and who listens on a port.

use std::time::{Duration, Instant};

use twin_platform::Identity;

/// How often a wait looks again.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// Waits until this very process is gone; false when `patience` ends first.
pub(crate) async fn wait_gone(process: &Identity, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    while process.is_alive() {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
    true
}

/// Name and pid of the process that listens on a TCP port of this machine, where the system lets us see it.
pub(crate) fn listener(port: u16) -> Option<(String, u32)> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .collect();
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    if wanted.is_empty() {
        return None;
    }
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = |link: std::path::PathBuf| wanted.iter().any(|socket| link.as_os_str() == socket.as_str());
        if files.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(holds)) {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((name.trim().to_owned(), pid));
        }
    }
    None
}

/// What a process was given for a flag (`FLAG VALUE`), where the system lets us see it.
pub(crate) fn argument(pid: u32, flag: &str) -> Option<String> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    line.split('\0').skip_while(|word| *word != flag).nth(1).map(str::to_owned)
}

/// Inodes of the sockets in state LISTEN (0A) on this port, from a table as `/proc/net/tcp` has it.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let wanted = format!("{port:04X}");
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?.rsplit_once(':')?.1;
        (local == wanted && *fields.get(3)? == "0A").then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    };
    table.lines().skip(1).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_port_has_its_process() {
        let listener_here = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener_here.local_addr().expect("bound").port();
        if cfg!(target_os = "linux") {
            assert_eq!(listener(port).map(|(_, pid)| pid), Some(std::process::id()));
        }
        assert_eq!(argument(std::process::id(), "--no-such-flag"), None);
        drop(listener_here);
        assert_eq!(listener(port), None);
    }

    #[test]
    fn only_listening_sockets_of_that_port_count() {
        let table = "  sl  local_address rem_address   st tx rx tr tm retrnsmt uid timeout inode\n\
             0: 0100007F:11D6 00000000:0000 0A 0:0 0:0 0 0 0 777 1\n\
             1: 0100007F:11D6 0100007F:C000 01 0:0 0:0 0 0 0 888 1\n\
             2: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 999 1\n";
        assert_eq!(listening_inodes(table, 4566), ["777"]);
    }
}
