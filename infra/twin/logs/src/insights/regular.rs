//! Regular expressions of `like`, `=~` and `parse`.

use regex::bytes::{Regex, RegexBuilder};

/// Compiled size in bytes past which an expression is refused: `(a{999}){999}` would otherwise fill the memory.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles an expression; the error is one line for a person.
///
/// Classes are ASCII, as Java's are, whose expressions AWS takes. Look-around and back-references are refused: they need
/// an engine that can take for ever on one line.
pub(super) fn compile(body: &str) -> Result<Regex, String> {
    RegexBuilder::new(body).unicode(false).size_limit(SIZE_LIMIT).build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("the regular expression is refused ({last})")
    })
}
