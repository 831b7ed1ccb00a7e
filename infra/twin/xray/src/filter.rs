//! Filter expressions (X-Ray developer guide, "Using filter expressions").
//!
//! Promises: every expression either parses or is refused with the position of the first character that does not fit (counted
//! from 1) and what would. Keywords and `AND`, `OR`, `NOT` are taken in any case; two terms without a word between them are joined by
//! `AND`. Refuses by name: root causes (`rootcause.…`), groups (`group.…`), and the words that stand only inside those.

mod evaluate;
mod parse;
mod scan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Expression);

/// An expression that does not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid filter expression at position {position}: {message}")]
pub struct Mistake {
    /// Character at which it went wrong, counted from 1; one past the last when more was expected.
    pub position: usize,
    /// What is wrong, and what would do.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Test(Field, Test),
    /// A service that took part, and what holds for a visit to it.
    Service(Who, Option<Box<Expression>>),
    /// One service calling another, and what holds for a call.
    Edge(Who, Who, Option<Box<Expression>>),
}

/// A service by name, by type, by both, or any.
#[derive(Clone, Debug, Default, PartialEq)]
struct Who {
    name: Option<String>,
    kind: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Bool(BoolField),
    Number(NumberField),
    Text(TextField),
    Annotation(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum BoolField {
    Ok,
    Error,
    Fault,
    Throttle,
    Partial,
    Inferred,
    Root,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum NumberField {
    ResponseTime,
    Duration,
    HttpStatus,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum TextField {
    HttpUrl,
    HttpMethod,
    HttpUserAgent,
    HttpClientIp,
    User,
    Name,
    Type,
    AvailabilityZone,
    InstanceId,
    ResourceArn,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// It is there; of a boolean: it is true.
    Set,
    Bool(bool),
    Number(Order, f64),
    Text(Match, String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Match {
    Equal,
    Unequal,
    Contains,
    BeginsWith,
    EndsWith,
}
