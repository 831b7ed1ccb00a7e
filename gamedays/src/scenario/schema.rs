//! The form of a scenario as JSON schema, for editors. `gamedays/scenario.schema.json` holds it and a test keeps the two equal.

use schemars::JsonSchema;

use super::Scenario;

/// `runbooks::Severity` as it is written.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) enum SeverityWord {
    /// The service is down.
    Critical,
    /// Many requests fail, or a part of the service is down.
    High,
    /// Requests are slow, or a few fail.
    Medium,
    /// Nobody outside sees it yet.
    Low,
}

/// The schema, indented.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Scenario);
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenario.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, schema()).expect("written");
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(published, schema(), "write it anew: UPDATE_SCHEMA=1 cargo test -p gamedays schema");
    }
}
