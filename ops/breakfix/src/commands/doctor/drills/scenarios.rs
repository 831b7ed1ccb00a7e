//! The scenarios, as far as completeness goes: which modes they inject, and which runbook they name. `gamedays` reads them whole.

use std::path::Path;

use contract::failure::ModeName;
use runbooks::Runbook;
use serde::Deserialize;
use serde_json::Value;

use super::{aspect, lacking, texts::named};
use crate::commands::doctor::Finding;

const NAME: &str = "scenarios";

#[derive(Deserialize)]
struct Scenario {
    #[serde(default)]
    inject: Vec<Step>,
    runbook: Option<String>,
}

#[derive(Deserialize)]
struct Step {
    /// A word, or an object with the field `mode`.
    parameter: Option<Value>,
}

impl Step {
    fn mode(&self) -> Option<ModeName> {
        let value = self.parameter.as_ref()?;
        ModeName::from_word(value.get("mode").unwrap_or(value).as_str()?)
    }
}

/// None without a folder of scenarios.
pub(super) fn check(root: &Path, books: &[&Runbook]) -> Option<Finding> {
    let folder = root.join("gamedays/scenarios");
    if !folder.is_dir() {
        return None;
    }
    let (mut scenarios, mut astray) = (Vec::new(), Vec::new());
    for (name, text) in named(&folder, "yaml") {
        let id = name.trim_end_matches(".yaml");
        match serde_saphyr::from_str::<Scenario>(&text) {
            Ok(scenario) => {
                let unknown = scenario.runbook.iter().filter(|named| books.iter().all(|book| book.id != **named));
                astray.extend(unknown.map(|named| format!("{id}: there is no runbook {named}")));
                scenarios.push(scenario);
            }
            Err(error) => astray.push(format!("{name}: {}", error.without_snippet())),
        }
    }
    let injects = |mode| scenarios.iter().flat_map(|scenario| &scenario.inject).any(|step| step.mode() == Some(mode));
    let good = format!("{}; every mode is injected by one", scenarios.len());
    Some(aspect(NAME, &lacking(&[], injects), astray, good, "gamedays/scenarios holds them"))
}
