//! A length of time in AWS, written as people do: `30s`, `10m`.

use std::{borrow::Cow, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

/// Shortest wait that a run still makes, however fast the lab: the service refreshes its failure mode once a second, and a look
/// at the lab takes a part of one.
const SHORTEST: Duration = Duration::from_secs(3);

/// A length of AWS time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(pub Duration);

impl Length {
    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(Duration::from_secs(minutes * 60))
    }

    /// Real time in a lab whose waiting is divided by `speed`.
    pub fn at(self, speed: f64) -> Duration {
        self.0.div_f64(speed.max(1.0)).max(SHORTEST.min(self.0))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        contract::duration::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(ms|s|m|h)?$",
            "description": "A length of AWS time: 30s, 10m, 1h. The lab's time factor divides it."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_divides_and_leaves_what_a_look_needs() {
        let minute = Length::minutes(1);
        assert_eq!(minute.at(1.0), Duration::from_secs(60));
        assert_eq!(minute.at(10.0), Duration::from_secs(6));
        assert_eq!(minute.at(100.0), SHORTEST);
        assert_eq!(Length(Duration::from_secs(1)).at(100.0), Duration::from_secs(1), "never longer than written");
    }
}
