//! Expressions: what a row's fields make of them.

use std::borrow::Cow;

use memchr::memmem::Finder;
use regex::bytes::Regex;

use super::{function::Function, period::Period, value::Value};

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Literal(Value),
    Field(usize),
    /// The result of one of the aggregations of a `stats` command.
    Aggregate(usize),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Compare(Comparison, Box<(Expression, Expression)>),
    In(Box<Expression>, Vec<Expression>),
    Like(Box<Expression>, Like),
    /// Operators of one rank, from left to right. A list, so that a long sum does not nest.
    Chain(Box<Expression>, Vec<(Arithmetic, Expression)>),
    Negate(Box<Expression>),
    Floor(Box<Expression>, Period),
    Ceil(Box<Expression>, Period),
    Call(Function, Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Clone, Debug)]
pub(super) enum Like {
    Text(Box<Finder<'static>>),
    Regular(Regex),
}

/// What an expression can see.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) slots: &'a [Value],
    pub(super) aggregates: &'a [Value],
    /// Milliseconds since the epoch: when the query was started.
    pub(super) now_ms: i64,
}

const MISSING: Cow<'static, Value> = Cow::Owned(Value::Missing);

impl Expression {
    pub(super) fn value<'a>(&'a self, scope: Scope<'a>) -> Cow<'a, Value> {
        match self {
            Self::Literal(value) => Cow::Borrowed(value),
            Self::Field(slot) => scope.slots.get(*slot).map_or(MISSING, Cow::Borrowed),
            Self::Aggregate(index) => scope.aggregates.get(*index).map_or(MISSING, Cow::Borrowed),
            Self::Not(inner) => truth(!inner.holds(scope)),
            Self::All(parts) => truth(parts.iter().all(|part| part.holds(scope))),
            Self::Any(parts) => truth(parts.iter().any(|part| part.holds(scope))),
            Self::Compare(comparison, sides) => truth(comparison.holds(&sides.0.value(scope), &sides.1.value(scope))),
            Self::In(value, list) => {
                let value = value.value(scope);
                truth(list.iter().any(|member| Comparison::Equal.holds(&value, &member.value(scope))))
            }
            Self::Like(value, like) => truth(value.value(scope).written().is_some_and(|text| like.matches(&text))),
            Self::Chain(first, rest) => Cow::Owned(chain(first, rest, scope)),
            Self::Negate(inner) => {
                Cow::Owned(inner.value(scope).number().map_or(Value::Missing, |number| Value::Number(-number)))
            }
            Self::Floor(inner, period) => time(inner, scope, |ms| period.floor(ms)),
            Self::Ceil(inner, period) => time(inner, scope, |ms| period.ceil(ms)),
            Self::Call(function, arguments) => Cow::Owned(function.call(arguments, scope)),
        }
    }

    pub(super) fn holds(&self, scope: Scope<'_>) -> bool {
        self.value(scope).is_true()
    }
}

fn truth(truth: bool) -> Cow<'static, Value> {
    Cow::Owned(Value::truth(truth))
}

fn chain(first: &Expression, rest: &[(Arithmetic, Expression)], scope: Scope<'_>) -> Value {
    let Some(mut left) = first.value(scope).number() else { return Value::Missing };
    for (operator, right) in rest {
        let Some(right) = right.value(scope).number() else { return Value::Missing };
        left = match operator {
            Arithmetic::Add => left + right,
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide => left / right,
            Arithmetic::Remainder => left % right,
            Arithmetic::Power => left.powf(right),
        };
    }
    Value::finite(left)
}

fn time<'a>(inner: &Expression, scope: Scope<'_>, round: impl Fn(i64) -> i64) -> Cow<'a, Value> {
    Cow::Owned(milliseconds(&inner.value(scope)).map_or(Value::Missing, |ms| Value::Time(round(ms))))
}

/// A moment from a time or from a number of milliseconds.
pub(super) fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Time(ms) => Some(*ms),
        other =>
        {
            #[allow(clippy::cast_possible_truncation, reason = "held to the years that a time can be written in")]
            other.number().filter(|number| number.abs() < 1e14).map(|number| number as i64)
        }
    }
}

impl Comparison {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let Some(order) = left.compare(right) else { return false };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Like {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Box::new(Finder::new(text.as_bytes()).into_owned()))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Text(finder) => finder.find(text.as_bytes()).is_some(),
            Self::Regular(expression) => expression.is_match(text.as_bytes()),
        }
    }
}
