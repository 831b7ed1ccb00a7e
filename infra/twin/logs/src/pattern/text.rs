//! Terms anywhere in the line: `ERROR "exact phrase" -excluded`, `?one ?other`, `%expression%`.

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::{PatternError, scan::Scanner};

#[derive(Debug)]
pub(super) struct Terms {
    included: Vec<Term>,
    excluded: Vec<Term>,
    optional: Vec<Term>,
}

#[derive(Debug)]
enum Term {
    Phrase(Box<Finder<'static>>),
    Regular(Regex),
}

impl Term {
    fn found(&self, line: &str) -> bool {
        match self {
            Self::Phrase(finder) => finder.find(line.as_bytes()).is_some(),
            Self::Regular(expression) => expression.is_match(line.as_bytes()),
        }
    }
}

impl Terms {
    pub(super) fn match_line(&self, line: &str) -> bool {
        // "If you combine ? with other filter patterns, it is ignored", says the syntax page, so `?` terms count alone.
        if self.included.is_empty() && self.excluded.is_empty() {
            return self.optional.iter().any(|term| term.found(line));
        }
        self.included.iter().all(|term| term.found(line)) && !self.excluded.iter().any(|term| term.found(line))
    }
}

pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<Terms, PatternError> {
    let mut terms = Terms { included: Vec::new(), excluded: Vec::new(), optional: Vec::new() };
    loop {
        scanner.skip_whitespace();
        let list = match scanner.peek() {
            None => return Ok(terms),
            Some('-') => &mut terms.excluded,
            Some('?') => &mut terms.optional,
            Some(_) => &mut terms.included,
        };
        if matches!(scanner.peek(), Some('-' | '?')) {
            scanner.next();
            scanner.skip_whitespace();
        }
        list.push(term(scanner)?);
    }
}

fn term(scanner: &mut Scanner<'_>) -> Result<Term, PatternError> {
    let phrase = match scanner.peek() {
        Some('%') => return scanner.regular_expression().map(Term::Regular),
        Some('"') => scanner.quoted()?,
        _ => {
            let mark = scanner.mark();
            let word = scanner.take_while(|next| !next.is_whitespace() && next != '"');
            if word.is_empty() {
                return Err(scanner.error_at(mark, "expected a term"));
            }
            if !word.chars().all(|next| next.is_alphanumeric() || next == '_') {
                let message = format!("Invalid character(s) in term '{word}'; put it in double quotes");
                return Err(scanner.error_at(mark, message));
            }
            word.to_owned()
        }
    };
    // `" "` is the documented pattern for every line, also for one without a blank.
    let phrase = if phrase.trim().is_empty() { "" } else { phrase.as_str() };
    Ok(Term::Phrase(Box::new(Finder::new(phrase.as_bytes()).into_owned())))
}
