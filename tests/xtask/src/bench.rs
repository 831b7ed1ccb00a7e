//! `cargo xtask bench`: builds everything optimised, then measures.

use std::{ffi::OsString, process::Command};

use xtask::workspace::{self, cargo, run};

use crate::need;

/// Installs the peers, builds the workspace in release and runs `tests/bench` with these arguments.
pub(crate) fn measure(arguments: &[OsString]) -> anyhow::Result<()> {
    need::program("wrk", "wrk", "wrk")?;
    // Debian keeps it in sbin, which is not on everybody's PATH.
    if !workspace::has("haproxy") && !std::path::Path::new("/usr/sbin/haproxy").is_file() {
        need::install(&["haproxy"], &["haproxy"])?;
    }
    run(&mut cargo(&["build", "--release", "--workspace", "--bins"]))?;
    run(Command::new(workspace::binary("release", "bench")).args(arguments).current_dir(workspace::path("")))
}
