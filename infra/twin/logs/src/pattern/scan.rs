//! A cursor over the pattern's text, and the three spellings of a value: quoted, regular expression, bare.

use super::PatternError;

pub(super) struct Scanner<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
    /// Regular expressions read so far: CloudWatch Logs allows two in a pattern.
    regular_expressions: usize,
}

/// Most regular expressions in one pattern (quota named on the syntax page).
const MAX_REGULAR_EXPRESSIONS: usize = 2;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, regular_expressions: 0 }
    }

    /// How many regular expressions have been read.
    pub(super) fn regular_expressions(&self) -> usize {
        self.regular_expressions
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn skip_whitespace(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes `expected` when it comes next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Takes a keyword in either case when it comes next and ends there.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let found = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !rest[word.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_');
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<(), PatternError> {
        if self.eat(expected) { Ok(()) } else { Err(self.error(format!("expected '{expected}'"))) }
    }

    /// Takes characters while `keep` says so.
    pub(super) fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|next| !keep(next)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn error(&self, message: impl Into<String>) -> PatternError {
        self.error_at(self.at, message)
    }

    /// Where the cursor is, for [`Scanner::error_at`].
    pub(super) fn mark(&self) -> usize {
        self.at
    }

    pub(super) fn error_at(&self, mark: usize, message: impl Into<String>) -> PatternError {
        PatternError { position: self.text[..mark].chars().count() + 1, message: message.into() }
    }

    /// A double-quoted string whose opening quote comes next; `\"` and `\\` are the escapes.
    pub(super) fn quoted(&mut self) -> Result<String, PatternError> {
        let start = self.mark();
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some(escaped @ ('"' | '\\')) => text.push(escaped),
                    Some(other) => text.extend(['\\', other]),
                    None => return Err(self.error_at(start, "the double quote is never closed")),
                },
                Some(other) => text.push(other),
                None => return Err(self.error_at(start, "the double quote is never closed")),
            }
        }
    }

    /// A regular expression between percent signs, the first of which comes next.
    pub(super) fn regular_expression(&mut self) -> Result<regex::bytes::Regex, PatternError> {
        let start = self.mark();
        self.expect("%")?;
        let body_start = self.mark();
        loop {
            match self.next() {
                Some('%') => break,
                Some('\\') => drop(self.next()),
                Some(_) => {}
                None => return Err(self.error_at(start, "the regular expression is never closed by '%'")),
            }
        }
        self.regular_expressions += 1;
        if self.regular_expressions > MAX_REGULAR_EXPRESSIONS {
            let message = format!("more than {MAX_REGULAR_EXPRESSIONS} regular expressions in one pattern");
            return Err(self.error_at(start, message));
        }
        let body = &self.text[body_start..self.mark() - 1];
        super::regular::compile(body).map_err(|(offset, message)| self.error_at(body_start + offset, message))
    }
}
