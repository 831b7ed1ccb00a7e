//! JSON lines: `{ $.status >= 500 && ($.errorType = "X*" || $.path != "/healthz") }`.
//!
//! A comparison holds only for a string or a number: a selector that points at an object, an array, a boolean, null or
//! nothing makes both `=` and `!=` false, because "the log format doesn't match the filter".
//!
//! One extension: AWS documents `NOT EXISTS` alone; `EXISTS` is taken here too, and holds for whatever is there, null as
//! well. A pattern that must run in AWS writes `$.field = *`, which asks for a string or a number.

use memchr::memmem::Finder;

use super::{
    PatternError,
    scan::Scanner,
    select::{Selectors, Value},
    tree::{self, Tree},
    value::Comparison,
};

#[derive(Debug)]
pub(super) struct Condition {
    selectors: Selectors,
    tree: Tree<Test>,
    /// Text that a matching line must contain, unless it spells it with escapes. Looking for it first spares the reading
    /// of most lines of a large group.
    needed: Vec<Finder<'static>>,
}

/// One question about one selector, by its index.
#[derive(Debug)]
struct Test {
    selector: u8,
    question: Question,
}

#[derive(Debug)]
enum Question {
    Is(Comparison),
    Null,
    Boolean(bool),
    Exists,
    NotExists,
}

impl Condition {
    pub(super) fn match_line(&self, line: &str) -> bool {
        let bytes = line.as_bytes();
        if self.needed.iter().any(|finder| finder.find(bytes).is_none()) && memchr::memchr(b'\\', bytes).is_none() {
            return false;
        }
        let Some(found) = self.selectors.read(line) else { return false };
        self.tree.holds(&|test| {
            let mut values = found.iter().filter(|(selector, _)| *selector == test.selector).map(|(_, value)| value);
            match &test.question {
                Question::Exists => values.next().is_some(),
                Question::NotExists => values.next().is_none(),
                Question::Null => values.any(|value| matches!(value, Value::Null)),
                Question::Boolean(wanted) => values.any(|value| matches!(value, Value::Boolean(is) if is == wanted)),
                Question::Is(comparison) => values.any(|value| match value {
                    Value::Text(text) => comparison.text(text),
                    Value::Number(number) => comparison.number(*number),
                    Value::Null | Value::Boolean(_) | Value::Container => false,
                }),
            }
        })
    }
}

impl Condition {
    /// The values that the pattern's selectors point at in the line, by how the selectors are written.
    pub(super) fn values(&self, line: &str) -> Vec<(String, String)> {
        let names = self.selectors.written();
        let found = self.selectors.read(line).unwrap_or_default().into_iter();
        found
            .filter_map(|(selector, value)| Some((names.get(usize::from(selector))?.clone(), value.written()?)))
            .collect()
    }
}

pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<Condition, PatternError> {
    scanner.expect("{")?;
    let mut selectors = Selectors::default();
    let tree = tree::parse(scanner, &mut |scanner| test(scanner, &mut selectors))?;
    selectors.check_wildcards(scanner)?;
    scanner.expect("}").map_err(|error| PatternError { message: "expected '&&', '||' or '}'".into(), ..error })?;
    let needed = needed(&tree, &selectors);
    Ok(Condition { selectors, tree, needed })
}

fn test(scanner: &mut Scanner<'_>, selectors: &mut Selectors) -> Result<Test, PatternError> {
    let selector = selectors.parse(scanner)?;
    scanner.skip_whitespace();
    let question = if scanner.eat_word("IS") {
        scanner.skip_whitespace();
        if scanner.eat_word("NULL") {
            Question::Null
        } else if scanner.eat_word("TRUE") {
            Question::Boolean(true)
        } else if scanner.eat_word("FALSE") {
            Question::Boolean(false)
        } else {
            return Err(scanner.error("expected NULL, TRUE or FALSE after IS"));
        }
    } else if scanner.eat_word("NOT") {
        scanner.skip_whitespace();
        if !scanner.eat_word("EXISTS") {
            return Err(scanner.error("expected EXISTS after NOT"));
        }
        Question::NotExists
    } else if scanner.eat_word("EXISTS") {
        Question::Exists
    } else {
        Question::Is(Comparison::parse(scanner, is_bare)?)
    };
    Ok(Test { selector, question })
}

fn needed(tree: &Tree<Test>, selectors: &Selectors) -> Vec<Finder<'static>> {
    let mut texts: Vec<&str> = Vec::new();
    for test in tree.required() {
        if matches!(test.question, Question::NotExists) {
            continue;
        }
        texts.extend(selectors.keys(test.selector));
        if let Question::Is(Comparison::Text { equal: true, text }) = &test.question {
            // A number may be written in another way (5e2) than it is compared.
            if !text.core().starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '.')) {
                texts.push(text.core());
            }
        }
    }
    // A quote or a control character is always written with a backslash, so it proves nothing here.
    texts.retain(|text| !text.is_empty() && !text.contains(|c: char| c == '"' || c == '\\' || c.is_control()));
    texts.sort_unstable();
    texts.dedup();
    texts.into_iter().map(|text| Finder::new(text.as_bytes()).into_owned()).collect()
}

fn is_bare(next: char) -> bool {
    next.is_alphanumeric() || matches!(next, '*' | '.' | '-' | '_' | ':' | '/' | '+')
}
