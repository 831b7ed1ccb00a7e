//! Values taken out of a matching line: for a metric filter's value and dimensions, and for `TestMetricFilter`.

use super::{Kind, Pattern, PatternError, scan::Scanner, select::Selectors};

/// A field of matching lines: `$.latencyMs` of JSON ones, `$bytes` of space-delimited ones.
#[derive(Debug)]
pub(crate) enum Field {
    Json(Selectors),
    Delimited(String),
}

impl Pattern {
    /// Reads a field that lines matching this pattern can have.
    ///
    /// A JSON field need not be in the pattern; a space-delimited one has its name from there.
    pub(crate) fn field(&self, text: &str) -> Result<Field, PatternError> {
        let mut scanner = Scanner::new(text);
        match &self.kind {
            Kind::Json(_) => {
                let mut selectors = Selectors::default();
                selectors.parse(&mut scanner)?;
                if scanner.peek().is_some() {
                    return Err(scanner.error("unexpected text after the selector"));
                }
                Ok(Field::Json(selectors))
            }
            Kind::Delimited(fields) => {
                scanner.expect("$")?;
                if !fields.has(scanner.rest()) {
                    return Err(scanner.error(format!("the pattern has no field '{}'", scanner.rest())));
                }
                Ok(Field::Delimited(scanner.rest().to_owned()))
            }
            Kind::Text(_) | Kind::Everything => {
                Err(scanner.error("only a JSON or a space-delimited pattern has fields"))
            }
        }
    }

    /// The field's value in a line that matches.
    pub(crate) fn extract(&self, field: &Field, line: &str) -> Option<String> {
        match (field, &self.kind) {
            (Field::Json(selectors), _) => selectors.read(line)?.iter().find_map(|(_, value)| value.written()),
            (Field::Delimited(name), Kind::Delimited(fields)) => {
                fields.values(line).into_iter().find(|(known, _)| known == name).map(|(_, value)| value.to_owned())
            }
            (Field::Delimited(_), _) => None,
        }
    }

    /// Every value that the pattern names in a line that matches.
    pub(crate) fn values(&self, line: &str) -> Vec<(String, String)> {
        match &self.kind {
            Kind::Json(condition) => condition.values(line),
            Kind::Delimited(fields) => {
                fields.values(line).into_iter().map(|(name, value)| (format!("${name}"), value.to_owned())).collect()
            }
            Kind::Text(_) | Kind::Everything => Vec::new(),
        }
    }
}
