//! Reading an action's input: lenient about types as the query protocol needs it (a number may be text), strict about the rest.
//!
//! Errors name the parameter as CloudWatch does, by its path in the query protocol: `MetricData.member.1.Value`.

use twin_platform::AwsError;

use crate::wire::{Value, moment};

/// One structure of the input.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    value: &'a Value,
    path: String,
}

type Result<T> = std::result::Result<T, AwsError>;

impl<'a> Fields<'a> {
    /// The whole input.
    pub(crate) fn new(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// The full name of a member.
    pub(crate) fn name(&self, member: &str) -> String {
        format!("{}{member}", self.path)
    }

    /// Where this structure is, for a message; empty for the whole input.
    pub(crate) fn path(&self) -> &str {
        self.path.trim_end_matches('.')
    }

    /// The first member that is not in `known`: what a call asks beyond what is imitated.
    pub(crate) fn unknown(&self, known: &[&str]) -> Option<&'a str> {
        let Value::Map(members) = self.value else { return None };
        members.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name))
    }

    /// Whether the member is there at all.
    pub(crate) fn has(&self, member: &str) -> bool {
        *self.value.get(member) != Value::Null
    }

    fn mismatch(&self, member: &str, kind: &str) -> AwsError {
        AwsError::client(
            "InvalidParameterValue",
            format!("The value for parameter {} is no {kind}.", self.name(member)),
        )
    }

    fn missing(&self, member: &str) -> AwsError {
        AwsError::client("MissingParameter", format!("The parameter {} is required.", self.name(member)))
    }

    /// A text.
    pub(crate) fn text(&self, member: &str) -> Result<Option<&'a str>> {
        match self.value.get(member) {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(self.mismatch(member, "text")),
        }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required_text(&self, member: &str) -> Result<&'a str> {
        self.text(member)?.filter(|text| !text.is_empty()).ok_or_else(|| self.missing(member))
    }

    /// A number; NaN and infinities are let through for the action to judge.
    pub(crate) fn number(&self, member: &str) -> Result<Option<f64>> {
        self.as_number(member, self.value.get(member))
    }

    fn as_number(&self, member: &str, value: &Value) -> Result<Option<f64>> {
        #[allow(clippy::cast_precision_loss, reason = "every number of CloudWatch is a double")]
        match value {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(Some(*number)),
            Value::Integer(integer) => Ok(Some(*integer as f64)),
            Value::Text(text) => text.trim().parse().map(Some).map_err(|_| self.mismatch(member, "number")),
            _ => Err(self.mismatch(member, "number")),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, member: &str) -> Result<Option<i64>> {
        match self.value.get(member) {
            Value::Null => Ok(None),
            Value::Integer(integer) => Ok(Some(*integer)),
            Value::Text(text) => text.trim().parse().map(Some).map_err(|_| self.mismatch(member, "integer")),
            #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Ok(Some(*number as i64)),
            _ => Err(self.mismatch(member, "integer")),
        }
    }

    /// A whole number that must be there.
    pub(crate) fn required_integer(&self, member: &str) -> Result<i64> {
        self.integer(member)?.ok_or_else(|| self.missing(member))
    }

    /// A boolean.
    pub(crate) fn boolean(&self, member: &str) -> Result<Option<bool>> {
        match self.value.get(member) {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            _ => Err(self.mismatch(member, "boolean")),
        }
    }

    /// A timestamp in milliseconds since the epoch.
    pub(crate) fn moment(&self, member: &str) -> Result<Option<i64>> {
        let mismatch = || self.mismatch(member, "timestamp");
        match self.value.get(member) {
            Value::Null => Ok(None),
            Value::Moment(epoch_ms) => Ok(Some(*epoch_ms)),
            Value::Text(text) => moment::parse(text).map(Some).ok_or_else(mismatch),
            #[allow(clippy::cast_precision_loss, reason = "out of range long before precision is lost")]
            Value::Integer(seconds) => moment::from_seconds(*seconds as f64).map(Some).ok_or_else(mismatch),
            Value::Number(seconds) => moment::from_seconds(*seconds).map(Some).ok_or_else(mismatch),
            _ => Err(mismatch()),
        }
    }

    /// A timestamp that must be there.
    pub(crate) fn required_moment(&self, member: &str) -> Result<i64> {
        self.moment(member)?.ok_or_else(|| self.missing(member))
    }

    /// The items of a list; none when it is absent. The query protocol writes an empty list as an empty text.
    fn items(&self, member: &str) -> Result<&'a [Value]> {
        match self.value.get(member) {
            Value::Null => Ok(&[]),
            Value::List(items) => Ok(items),
            Value::Text(text) if text.is_empty() => Ok(&[]),
            _ => Err(self.mismatch(member, "list")),
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, member: &str) -> Result<Vec<&'a str>> {
        let text = |item: &'a Value| match item {
            Value::Text(text) => Ok(text.as_str()),
            _ => Err(self.mismatch(member, "list of texts")),
        };
        self.items(member)?.iter().map(text).collect()
    }

    /// A list of numbers.
    pub(crate) fn numbers(&self, member: &str) -> Result<Vec<f64>> {
        let number = |item| self.as_number(member, item)?.ok_or_else(|| self.mismatch(member, "list of numbers"));
        self.items(member)?.iter().map(number).collect()
    }

    /// A list of structures.
    pub(crate) fn structures(&self, member: &str) -> Result<Vec<Fields<'a>>> {
        let structure = |(index, value): (usize, &'a Value)| match value {
            Value::Map(_) => Ok(Self { value, path: format!("{}.member.{}.", self.name(member), index + 1) }),
            _ => Err(self.mismatch(member, "list of structures")),
        };
        self.items(member)?.iter().enumerate().map(structure).collect()
    }

    /// One structure.
    pub(crate) fn structure(&self, member: &str) -> Result<Option<Fields<'a>>> {
        match self.value.get(member) {
            Value::Null => Ok(None),
            value @ Value::Map(_) => Ok(Some(Self { value, path: format!("{}.", self.name(member)) })),
            _ => Err(self.mismatch(member, "structure")),
        }
    }
}

/// `InvalidParameterValue`: a value out of its range.
pub(crate) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterValue", message)
}

/// `ValidationError`, which the alarm actions and `GetMetricData` use where the model names no error of their own.
pub(crate) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::client("ValidationError", message)
}

/// `ValidationError` in the words of the API's own model: the member is named in lower camel case there.
pub(crate) fn violated(member: &str, value: &str, constraint: &str) -> AwsError {
    validation(format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"
    ))
}

/// A value that is none of those allowed.
pub(crate) fn none_of(member: &str, value: &str, allowed: &[&str]) -> AwsError {
    violated(member, &format!("'{value}'"), &format!("satisfy enum value set: [{}]", allowed.join(", ")))
}

/// `InvalidParameterCombination`: two parameters of which only one may be given.
pub(crate) fn both(one: &str, other: &str) -> AwsError {
    combination(format!("The parameters {one} and {other} are mutually exclusive and you have specified both."))
}

/// `InvalidParameterCombination`.
pub(crate) fn combination(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterCombination", message)
}
