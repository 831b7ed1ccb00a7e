//! What the chores need from the machine, obtained through its ordinary package client. Nothing is fetched from an address
//! written here.

pub(crate) mod postgres;
pub(crate) mod python;

use std::process::Command;

use anyhow::bail;

use xtask::workspace;

/// Installs Debian packages (or Homebrew's, when there are `brew` names).
///
/// # Errors
/// When there is no client that may install: one line that says what to run.
pub(crate) fn install(apt: &[&str], brew: &[&str]) -> anyhow::Result<()> {
    if workspace::has("apt-get") {
        let Some(prefix) = root_prefix() else {
            bail!("not root and no sudo without a password; run: sudo apt-get install {}", apt.join(" "));
        };
        let client = |arguments: &[&str]| {
            let mut words = prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).chain(arguments);
            let mut command = Command::new(words.next().copied().unwrap_or("env"));
            command.args(words);
            workspace::run(&mut command)
        };
        let install = [&["install", "--yes", "--quiet", "--no-install-recommends"], apt].concat();
        // A fresh image has no package lists, an old one has stale ones; most machines need neither.
        return client(&install).or_else(|_| client(&["update", "--quiet"]).and_then(|()| client(&install)));
    }
    if workspace::has("brew") && !brew.is_empty() {
        let mut command = Command::new("brew");
        return workspace::run(command.arg("install").args(brew));
    }
    bail!("neither apt-get nor brew is here; install {} by the machine's own means", apt.join(" "));
}

/// Installs a package unless its program is there.
pub(crate) fn program(program: &str, apt: &str, brew: &str) -> anyhow::Result<()> {
    if workspace::has(program) { Ok(()) } else { install(&[apt], &[brew]) }
}

/// What to put before a command so that root runs it; none when nobody may.
fn root_prefix() -> Option<&'static [&'static str]> {
    let said = |program: &str, arguments: &[&str]| Command::new(program).args(arguments).output().ok();
    if said("id", &["-u"]).is_some_and(|output| output.stdout.trim_ascii() == b"0") {
        return Some(&[]);
    }
    let may = workspace::has("sudo") && said("sudo", &["-n", "true"]).is_some_and(|output| output.status.success());
    may.then_some(&["sudo", "-n"])
}
