//! PostgreSQL for the tests. The launcher in the twin decides which one is used; here only whether there is one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

/// Installs PostgreSQL when no install is found.
pub(crate) fn obtain() -> anyhow::Result<()> {
    if let Some(bin) = folders().into_iter().find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
    {
        eprintln!("PostgreSQL: {}", bin.display());
        return Ok(());
    }
    eprintln!("PostgreSQL: none found, installing it");
    super::install(&["postgresql"], &["postgresql@17"]).context("installing PostgreSQL")
}

/// Where installs lie, in the twin's order.
fn folders() -> Vec<PathBuf> {
    let given = std::env::var_os("LAB_PG_BIN").map(PathBuf::from);
    let named = Command::new("pg_config").arg("--bindir").output().ok();
    let named = named.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let versioned =
        ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/Applications/Postgres.app/Contents/Versions"]
            .into_iter()
            .flat_map(|parent| fs::read_dir(Path::new(parent)).into_iter().flatten().flatten())
            .map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    given.into_iter().chain(named).chain(versioned).chain(on_path).collect()
}
