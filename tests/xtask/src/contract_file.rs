//! `infra/contract.json`: the contract for readers that are not Rust.

use std::{fs, path::Path};

use anyhow::Context as _;

/// Writes the file; a test in the contract crate holds it equal to the code.
pub(crate) fn write() -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/contract.json");
    let text = serde_json::to_string_pretty(&contract::document())? + "\n";
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}
