//! Filter patterns, as CloudWatch Logs documents them in "Filter pattern syntax for metric filters, subscription filters,
//! filter log events, and Live Tail": text terms, regular expressions, JSON conditions and space-delimited fields.
//!
//! Promises: parsing never panics and never recurses deeper than thirty-two parentheses; a refused pattern names the position.
//! Matching never allocates for text patterns, and reads a JSON line only as far as the pattern's selectors ask.

mod delimited;
mod extract;
mod json;
mod regular;
mod scan;
mod select;
mod text;
mod tree;
mod value;

pub(crate) use extract::Field;
use scan::Scanner;

/// Longest pattern, in characters (`FilterPattern` in the CloudWatch Logs API reference).
pub const MAX_LENGTH: usize = 1024;

/// A pattern that can be asked whether a line matches.
#[derive(Debug)]
pub struct Pattern {
    kind: Kind,
    regular_expressions: usize,
}

#[derive(Debug)]
enum Kind {
    Everything,
    Text(text::Terms),
    Json(json::Condition),
    Delimited(delimited::Fields),
}

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid filter pattern: {message} at position {position}")]
pub struct PatternError {
    /// The character where reading stopped, counted from 1.
    pub position: usize,
    /// What is wrong, with the mend where there is one.
    pub message: String,
}

impl Pattern {
    /// Reads a pattern; the empty one matches every line.
    ///
    /// # Errors
    /// [`PatternError`] when the text is not a pattern, or longer than [`MAX_LENGTH`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let length = text.chars().count();
        if length > MAX_LENGTH {
            let message = format!("{length} characters are more than the {MAX_LENGTH} allowed");
            return Err(PatternError { position: MAX_LENGTH + 1, message });
        }
        let mut scanner = Scanner::new(text);
        scanner.skip_whitespace();
        let kind = match scanner.peek() {
            None => Kind::Everything,
            Some('{') => Kind::Json(json::parse(&mut scanner)?),
            Some('[') => Kind::Delimited(delimited::parse(&mut scanner)?),
            Some(_) => Kind::Text(text::parse(&mut scanner)?),
        };
        scanner.skip_whitespace();
        if scanner.peek().is_some() {
            return Err(scanner.error("unexpected text after the pattern's end"));
        }
        Ok(Self { kind, regular_expressions: scanner.regular_expressions() })
    }

    /// Whether it has regular expressions: only five such patterns may be in one group.
    pub(crate) fn is_regular(&self) -> bool {
        self.regular_expressions > 0
    }

    /// Whether the line matches.
    pub fn matches(&self, line: &str) -> bool {
        match &self.kind {
            Kind::Everything => true,
            Kind::Text(terms) => terms.match_line(line),
            Kind::Json(condition) => condition.match_line(line),
            Kind::Delimited(fields) => fields.match_line(line),
        }
    }
}

#[cfg(test)]
mod tests;
