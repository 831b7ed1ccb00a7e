//! What is asked of the service during a drill.

use std::time::Duration;

use load::Target;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Length;

/// An open loop at a constant rate.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficProfile {
    /// Requests a second, whether or not answers come.
    pub rate_per_s: f64,
    /// Paths, each once in a round.
    pub paths: Vec<String>,
    /// Real time after which a request has failed: people have left.
    pub timeout: Length,
}

impl Default for TrafficProfile {
    /// Gentle enough that a healthy lab looks healthy on two cores.
    fn default() -> Self {
        Self {
            rate_per_s: 20.0,
            paths: ["/", "/work?ms=5", "/db"].map(str::to_owned).to_vec(),
            timeout: Length(Duration::from_secs(5)),
        }
    }
}

impl TrafficProfile {
    pub(crate) fn targets(&self) -> Vec<Target> {
        self.paths.iter().map(Target::get).collect()
    }
}
