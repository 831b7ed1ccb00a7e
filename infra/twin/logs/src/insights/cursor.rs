//! A place in a query's text: blanks and comments, words, field names, strings, numbers, regular expressions.

use super::QueryError;

#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text from an earlier place up to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text[start..self.at].trim_end()
    }

    /// Skips blanks and comments, then looks at the next character.
    pub(super) fn peek(&mut self) -> Option<char> {
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            if !self.rest().starts_with('#') {
                return self.rest().chars().next();
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// Takes `symbol` when it comes next.
    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), QueryError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(&format!("expected '{symbol}'"))) }
    }

    /// The word that comes next, without taking it; empty when none does.
    pub(super) fn word(&mut self) -> &'a str {
        self.peek();
        let rest = self.rest();
        &rest[..rest.find(|next: char| !is_name(next)).unwrap_or(rest.len())]
    }

    /// Takes a keyword in either case when it comes next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.word().eq_ignore_ascii_case(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes so many bytes, which the caller has looked at.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// A field's name: letters, digits, `_`, `@`, dots and `[0]`; anything else between backticks.
    pub(super) fn name(&mut self) -> Result<String, QueryError> {
        let mut name = String::new();
        self.peek();
        loop {
            let rest = self.rest();
            if let Some(quoted) = rest.strip_prefix('`') {
                let end = quoted.find('`').ok_or_else(|| self.open("the backtick is never closed"))?;
                name.push_str(&quoted[..end]);
                self.at += end + 2;
            } else {
                let part = &rest[..rest.find(|next: char| !is_name(next)).unwrap_or(rest.len())];
                name.push_str(part);
                self.at += part.len();
                if part.is_empty() {
                    break;
                }
            }
            if let Some((index, _)) = self.rest().strip_prefix('[').and_then(|rest| rest.split_once(']'))
                && !index.is_empty()
                && index.bytes().all(|byte| byte.is_ascii_digit())
            {
                name.push('.');
                name.push_str(index);
                self.at += index.len() + 2;
            }
        }
        if name.is_empty() { Err(self.unexpected("expected a field name")) } else { Ok(name) }
    }

    /// A string in double or single quotes, one of which comes next.
    pub(super) fn string(&mut self) -> Result<String, QueryError> {
        let mut characters = self.rest().char_indices();
        let quote = characters.next().map(|(_, quote)| quote);
        let mut text = String::new();
        while let Some((offset, next)) = characters.next() {
            match next {
                next if Some(next) == quote => {
                    self.at += offset + next.len_utf8();
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, escaped @ ('\\' | '"' | '\''))) => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                other => text.push(other),
            }
        }
        Err(self.open("the quote is never closed"))
    }

    /// The body of a regular expression between slashes, the first of which comes next, and where it starts.
    pub(super) fn regular(&mut self) -> Result<(usize, String), QueryError> {
        let start = self.at + 1;
        let mut characters = self.rest().char_indices().skip(1);
        let mut body = String::new();
        while let Some((offset, next)) = characters.next() {
            match next {
                '/' => {
                    self.at += offset + 1;
                    return Ok((start, body));
                }
                '\\' => match characters.next() {
                    Some((_, '/')) => body.push('/'),
                    Some((_, other)) => body.extend(['\\', other]),
                    None => break,
                },
                other => body.push(other),
            }
        }
        Err(self.open("the regular expression is never closed by '/'"))
    }

    /// An unsigned number, when one comes next.
    pub(super) fn number(&mut self) -> Result<Option<f64>, QueryError> {
        self.peek();
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut length = digits(rest);
        if rest[length..].starts_with('.') {
            length += 1 + digits(&rest[length + 1..]);
        }
        if !rest[..length].bytes().any(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let power = digits(&exponent[sign..]);
            length += if power > 0 { 1 + sign + power } else { 0 };
        }
        let start = self.at;
        self.at += length;
        let number = self.since(start).parse().map_err(|_| self.error(start, "this is not a number"))?;
        Ok(Some(number))
    }

    /// The error that what comes next is not what the grammar asks for.
    pub(super) fn unexpected(&mut self, expected: &str) -> QueryError {
        let start = {
            self.peek();
            self.at
        };
        let word = self.word().len();
        let next = self.rest().chars().next();
        self.at += if word > 0 { word } else { next.map_or(0, char::len_utf8) };
        let found = match next {
            None => "unexpected end of the query".to_owned(),
            Some(_) => format!("unexpected symbol found {}", self.since(start)),
        };
        self.error(start, &format!("{found}, {expected}"))
    }

    /// An error about the text from an earlier place up to here.
    pub(super) fn error(&self, start: usize, message: &str) -> QueryError {
        let characters = |end: usize| self.text[..end].chars().count();
        let before = &self.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        QueryError {
            message: message.to_owned(),
            start: characters(start),
            end: characters(self.at.max(start)),
            line,
            column,
        }
    }

    /// An error about everything from here on.
    fn open(&self, message: &str) -> QueryError {
        Self { text: self.text, at: self.text.len() }.error(self.at, message)
    }
}

fn is_name(next: char) -> bool {
    next.is_alphanumeric() || matches!(next, '_' | '@' | '.')
}
