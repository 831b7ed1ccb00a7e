//! The front matter: what a machine must know before it reads on.

use std::time::Duration;

use contract::{duration, failure::ModeName};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::Severity;

/// The fields, all of them needed. An unknown one is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Front {
    pub id: String,
    #[serde(deserialize_with = "modes")]
    pub modes: Vec<ModeName>,
    pub alarms: Vec<String>,
    pub severity: Severity,
    #[serde(deserialize_with = "budget")]
    pub budget: Duration,
}

impl Front {
    /// Reads the YAML; the line of an error counts from the YAML's first line, which is 1.
    pub(crate) fn parse(yaml: &str) -> Result<Self, (usize, String)> {
        serde_saphyr::from_str(yaml).map_err(|error: serde_saphyr::Error| {
            let line = error.location().and_then(|at| usize::try_from(at.line()).ok()).unwrap_or(1);
            (line, error.without_snippet().to_string())
        })
    }
}

fn modes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ModeName>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    let mode = |word: &String| {
        ModeName::from_word(word).ok_or_else(|| D::Error::custom(format!("`{word}` is no failure mode")))
    };
    words.iter().map(mode).collect()
}

fn budget<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}
