//! A comparison of one value: strings with wildcards, numbers, regular expressions.

use std::cmp::Ordering;

use regex::bytes::Regex;

use super::{PatternError, scan::Scanner};

/// One operator with its right-hand side.
#[derive(Debug)]
pub(super) enum Comparison {
    Text { equal: bool, text: Wildcard },
    Number { operator: Operator, number: Number, written: String },
    Regular { equal: bool, expression: Regex },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

/// Integers are kept exact: an account id or a nanosecond clock does not fit a float.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(i128),
    Decimal(f64),
}

impl Number {
    /// An optionally signed integer or decimal, optionally with an exponent; nothing else that Rust would take (`inf`, `nan`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return None;
        }
        match text.parse::<i128>() {
            Ok(integer) => Some(Self::Integer(integer)),
            Err(_) => text.parse().ok().map(Self::Decimal),
        }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (left, right) => left.decimal().partial_cmp(&right.decimal()),
        }
    }

    fn decimal(self) -> f64 {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "a comparison with a decimal is as exact as the decimal")]
            Self::Integer(integer) => integer as f64,
            Self::Decimal(decimal) => decimal,
        }
    }
}

/// Text with `*` at its start, its end, or both; a `*` inside stands for itself, as the syntax page has it.
#[derive(Debug)]
pub(super) struct Wildcard {
    open_start: bool,
    open_end: bool,
    core: String,
}

impl Wildcard {
    fn new(text: &str) -> Self {
        let open_start = text.starts_with('*');
        let rest = text.strip_prefix('*').unwrap_or(text);
        let open_end = rest.ends_with('*') || (rest.is_empty() && open_start);
        Self { open_start, open_end, core: rest.strip_suffix('*').unwrap_or(rest).to_owned() }
    }

    fn matches(&self, text: &str) -> bool {
        match (self.open_start, self.open_end) {
            (true, true) => text.contains(&self.core),
            (true, false) => text.ends_with(&self.core),
            (false, true) => text.starts_with(&self.core),
            (false, false) => text == self.core,
        }
    }

    /// The text that every match contains.
    pub(super) fn core(&self) -> &str {
        &self.core
    }
}

impl Comparison {
    /// Reads an operator and a value. `bare` says which characters a value without quotes may hold.
    pub(super) fn parse(scanner: &mut Scanner<'_>, bare: impl Fn(char) -> bool) -> Result<Self, PatternError> {
        scanner.skip_whitespace();
        let operator_mark = scanner.mark();
        let mut operator = operator(scanner)?;
        scanner.skip_whitespace();
        // The older spelling of "not equal" that the syntax page still shows: [w1=!ERROR].
        if operator == Operator::Equal && scanner.eat("!") {
            operator = Operator::NotEqual;
        }
        let equal = operator == Operator::Equal;
        let text_operator = equal || operator == Operator::NotEqual;
        let needs_number = |scanner: &Scanner<'_>| {
            scanner.error_at(operator_mark, "<, <=, > and >= compare numbers; a string takes = or !=")
        };
        match scanner.peek() {
            Some('"') => {
                let text = scanner.quoted()?;
                if text_operator {
                    Ok(Self::Text { equal, text: Wildcard::new(&text) })
                } else {
                    Err(needs_number(scanner))
                }
            }
            Some('%') => {
                let expression = scanner.regular_expression()?;
                if text_operator { Ok(Self::Regular { equal, expression }) } else { Err(needs_number(scanner)) }
            }
            _ => {
                let written = scanner.take_while(bare);
                if written.is_empty() {
                    return Err(scanner.error("expected a value; text with special characters goes in double quotes"));
                }
                match Number::parse(written) {
                    Some(number) => Ok(Self::Number { operator, number, written: written.to_owned() }),
                    None if text_operator => Ok(Self::Text { equal, text: Wildcard::new(written) }),
                    None => Err(needs_number(scanner)),
                }
            }
        }
    }

    /// Whether a text satisfies the comparison.
    pub(super) fn text(&self, value: &str) -> bool {
        match self {
            Self::Text { equal, text } => text.matches(value) == *equal,
            Self::Regular { equal, expression } => expression.is_match(value.as_bytes()) == *equal,
            // `= 123456789012` must find an account id, which CloudTrail writes as a string.
            Self::Number { operator, number, written } => match (operator, Number::parse(value)) {
                (_, Some(value)) => holds(*operator, value, *number),
                (Operator::Equal, None) => value == written,
                (Operator::NotEqual, None) => value != written,
                _ => false,
            },
        }
    }

    /// Whether a number satisfies the comparison; a string or an expression sees it as it would be written.
    pub(super) fn number(&self, value: Number) -> bool {
        match (self, value) {
            (Self::Number { operator, number, .. }, value) => holds(*operator, value, *number),
            (other, Number::Integer(integer)) => other.text(&integer.to_string()),
            (other, Number::Decimal(decimal)) => other.text(&decimal.to_string()),
        }
    }
}

fn holds(operator: Operator, left: Number, right: Number) -> bool {
    let Some(order) = left.compare(right) else { return false };
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::Greater => order.is_gt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::GreaterOrEqual => order.is_ge(),
    }
}

fn operator(scanner: &mut Scanner<'_>) -> Result<Operator, PatternError> {
    // The two-character ones first: `<=` starts with `<`.
    let operators = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    for (written, operator) in operators {
        if scanner.eat(written) {
            return Ok(operator);
        }
    }
    Err(scanner.error("expected one of = != < <= > >="))
}
