//! The subset of regular expressions that CloudWatch Logs takes ("Supported regular expressions (regex) syntax"): ASCII
//! letters and digits, a few symbols, operators, no groups.

use regex::bytes::{Regex, RegexBuilder};

/// Symbols that stand for themselves.
const SYMBOLS: &str = ":_#=@/;,-";
/// Operators.
const OPERATORS: &str = "^$?[]{}|*+.";
/// Compiled size in bytes past which an expression is refused: `a{999}` repeated would otherwise fill the memory.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles the text between the percent signs; an error carries the byte offset within it.
pub(super) fn compile(body: &str) -> Result<Regex, (usize, String)> {
    if body.is_empty() {
        return Err((0, "the regular expression is empty".into()));
    }
    let mut characters = body.char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, 'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'x')) => {}
                Some((_, escaped)) if escaped.is_ascii_punctuation() => {}
                _ => return Err((offset, "unsupported escape in the regular expression".into())),
            },
            '(' | ')' => {
                return Err((offset, "'(' and ')' are not supported in a regular expression; escape them".into()));
            }
            plain if plain.is_ascii_alphanumeric() || SYMBOLS.contains(plain) || OPERATORS.contains(plain) => {}
            ' ' => return Err((offset, "' ' is not supported in a regular expression; write \\s".into())),
            other => return Err((offset, format!("'{other}' is not supported in a regular expression"))),
        }
    }
    // Bytes without Unicode classes: \w and \d mean ASCII here as they do in CloudWatch Logs, and matching is faster.
    RegexBuilder::new(body).unicode(false).size_limit(SIZE_LIMIT).build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        (0, format!("the regular expression is refused ({last})"))
    })
}
