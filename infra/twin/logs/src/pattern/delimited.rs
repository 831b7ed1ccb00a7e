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

/// What one field must satisfy, if anything.
type Field = Option<Tree<Comparison>>;

impl Fields {
    pub(super) fn match_line(&self, line: &str) -> bool {
        let values = split(line);
        let holds = |(field, value): (&Field, &&str)| {
            field.as_ref().is_none_or(|condition| condition.holds(&|comparison| comparison.text(value)))
        };
        match &self.after {
            None => {
                let takes_the_rest = self.before.last().is_some_and(Option::is_none);
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
        Some(',' | ']') => return Ok(None),
        Some('(') => {}
        _ => {
            let mut ahead = Scanner::new(scanner.rest());
            name(&mut ahead).map_err(|_| scanner.error("expected a field name"))?;
            ahead.skip_whitespace();
            if matches!(ahead.peek(), Some(',' | ']') | None) {
                name(scanner)?;
                return Ok(None);
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
    Ok(Some(condition))
}

fn name<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str, PatternError> {
    let name = scanner.take_while(|next| next.is_alphanumeric() || matches!(next, '_' | '-' | '$'));
    if name.is_empty() { Err(scanner.error("expected a field name")) } else { Ok(name) }
}

fn is_bare(next: char) -> bool {
    next.is_alphanumeric() || matches!(next, '*' | '.' | '-' | '_' | ':' | '/' | '+' | '#' | '@')
}
