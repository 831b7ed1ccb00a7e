//! Space-delimited lines: `[ip, user, ..., status = 4* && status != 403, bytes > 1000]`.
//!
//! Text between square brackets or double quotes in the line is one field. Without an ellipsis a last field that asks
//! nothing stands for the rest of the line (the syntax page's "blank indicator": `[w1=ERROR, w2]` finds lines of any
//! length); a last field with a condition is the line's last field.

use super::{
    PatternError,
    scan::Scanner,
    tree::{self, Tree},
    value::Comparison,
};

#[derive(Debug)]
pub(super) struct Fields {
    before: Vec<Field>,
    /// The fields after the ellipsis, when there is one.
    after: Option<Vec<Field>>,
}

#[derive(Debug)]
struct Field {
    name: Option<String>,
    /// What it must satisfy, if anything.
    condition: Option<Tree<Comparison>>,
}

impl Fields {
    pub(super) fn match_line(&self, line: &str) -> bool {
        let values = split(line);
        let holds = |(field, value): (&Field, &&str)| {
            field.condition.as_ref().is_none_or(|condition| condition.holds(&|comparison| comparison.text(value)))
        };
        match &self.after {
            None => {
                let takes_the_rest = self.before.last().is_some_and(|field| field.condition.is_none());
                (values.len() == self.before.len() || takes_the_rest && values.len() > self.before.len())
                    && self.before.iter().zip(&values).all(holds)
            }
            Some(after) => {
                values.len() >= self.before.len() + after.len()
                    && self.before.iter().zip(&values).all(holds)
                    && after.iter().zip(&values[values.len() - after.len()..]).all(holds)
            }
        }
    }
}

impl Fields {
    pub(super) fn has(&self, name: &str) -> bool {
        let fields = self.before.iter().chain(self.after.iter().flatten());
        fields.into_iter().any(|field| field.name.as_deref() == Some(name))
    }

    /// The line's fields by the pattern's names; one without a name goes by its place, from 1.
    pub(super) fn values<'l>(&self, line: &'l str) -> Vec<(String, &'l str)> {
        let values = split(line);
        let after = self.after.as_ref().map_or(0, Vec::len);
        let after_start = values.len().saturating_sub(after);
        let named = values.into_iter().enumerate().map(|(index, value)| {
            let field = self.before.get(index).or_else(|| self.after.as_ref()?.get(index.checked_sub(after_start)?));
            let name = field.and_then(|field| field.name.clone()).unwrap_or_else(|| (index + 1).to_string());
            (name, value)
        });
        named.collect()
    }
}

fn split(line: &str) -> Vec<&str> {
    let mut values = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '[' => Some(']'),
            '"' => Some('"'),
            _ => None,
        };
        let enclosed = close.and_then(|close| rest[1..].split_once(close));
        let (value, left) = match enclosed {
            Some(parts) => parts,
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        values.push(value);
        rest = left.trim_start();
    }
    values
}

pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<Fields, PatternError> {
    scanner.expect("[")?;
    let mut fields = Fields { before: Vec::new(), after: None };
    loop {
        scanner.skip_whitespace();
        if scanner.rest().starts_with("...") {
            if fields.after.is_some() {
                return Err(scanner.error("a second ellipsis leaves the fields between them without a place"));
            }
            scanner.expect("...")?;
            fields.after = Some(Vec::new());
        } else {
            let field = field(scanner)?;
            fields.after.as_mut().unwrap_or(&mut fields.before).push(field);
        }
        scanner.skip_whitespace();
        if scanner.eat("]") {
            return Ok(fields);
        }
        scanner.expect(",").map_err(|error| PatternError { message: "expected ',' or ']'".into(), ..error })?;
    }
}

fn field(scanner: &mut Scanner<'_>) -> Result<Field, PatternError> {
    match scanner.peek() {
        // A field without a name counts as a place.
        Some(',' | ']') => return Ok(Field { name: None, condition: None }),
        Some('(') => {}
        _ => {
            let mut ahead = Scanner::new(scanner.rest());
            name(&mut ahead).map_err(|_| scanner.error("expected a field name"))?;
            ahead.skip_whitespace();
            if matches!(ahead.peek(), Some(',' | ']') | None) {
                let name = name(scanner)?.to_owned();
                return Ok(Field { name: Some(name), condition: None });
            }
        }
    }
    let mut known: Option<String> = None;
    let condition = tree::parse(scanner, &mut |scanner| {
        scanner.skip_whitespace();
        let mark = scanner.mark();
        let found = name(scanner)?;
        let expected = known.get_or_insert_with(|| found.to_owned());
        if found != expected.as_str() {
            return Err(scanner.error_at(mark, format!("a condition on '{expected}' cannot ask about '{found}'")));
        }
        Comparison::parse(scanner, is_bare)
    })?;
    Ok(Field { name: known, condition: Some(condition) })
}

fn name<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str, PatternError> {
    let name = scanner.take_while(|next| next.is_alphanumeric() || matches!(next, '_' | '-' | '$'));
    if name.is_empty() { Err(scanner.error("expected a field name")) } else { Ok(name) }
}

fn is_bare(next: char) -> bool {
    next.is_alphanumeric() || matches!(next, '*' | '.' | '-' | '_' | ':' | '/' | '+' | '#' | '@')
}
