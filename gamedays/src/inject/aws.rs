//! Commands of the aws CLI, with the values that were there before.

use std::collections::BTreeMap;

use super::{Change, Prepared};
use crate::{Lab, journal::Undo};

pub(super) async fn prepare(
    lab: &Lab,
    run: &str,
    previous: &BTreeMap<String, String>,
    undo: Option<&str>,
    harmless: Option<&str>,
) -> Result<Prepared, String> {
    let mut variables = BTreeMap::new();
    for (name, command) in previous {
        let value = lab.command(command, []).await?;
        // An undo with an empty value would not take back, it would break further.
        if value.is_empty() || value == "None" {
            return Err(format!("`{command}` gave nothing for ${name}"));
        }
        variables.insert(name.clone(), value);
    }
    let undo = match undo {
        Some(undo) => Undo::Aws { run: undo.to_owned(), variables: variables.clone() },
        None => Undo::Nothing { because: harmless.unwrap_or_default().to_owned() },
    };
    Ok(Prepared { undo, change: Change::Command { run: run.to_owned(), variables } })
}
