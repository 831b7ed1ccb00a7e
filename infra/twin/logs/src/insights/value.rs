//! A value in a row: a log field is text or a number, and text that reads as a number counts as one.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Value {
    #[default]
    Missing,
    Text(Arc<str>),
    Number(f64),
    /// Milliseconds since the epoch.
    Time(i64),
}

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn truth(truth: bool) -> Self {
        Self::Number(f64::from(u8::from(truth)))
    }

    /// A number that was computed: nothing when it is infinite or not a number.
    pub(super) fn finite(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Missing }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::Text(text) => text.eq_ignore_ascii_case("true") || self.number().is_some_and(|number| number != 0.0),
            Self::Number(number) => *number != 0.0,
            Self::Time(_) => true,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Missing => None,
            Self::Text(text) => read_number(text),
            Self::Number(number) => Some(*number),
            #[allow(clippy::cast_precision_loss, reason = "exact for the next 285 000 years")]
            Self::Time(ms) => Some(*ms as f64),
        }
    }

    /// The value as a result shows it; none when it is missing.
    pub(super) fn written(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Time(ms) => Some(Cow::Owned(write_time(*ms))),
        }
    }

    /// The order that a comparison asks for; none when a side is missing. Two numbers compare as numbers, anything else
    /// as it is written.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        if let (Self::Text(left), Self::Text(right)) = (self, other)
            && (read_number(left).is_none() || read_number(right).is_none())
        {
            return Some(left.cmp(right));
        }
        match (self.number(), other.number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => Some(self.written()?.cmp(&other.written()?)),
        }
    }

    /// The order of `sort`, ascending ("sort" in the user guide): missing, then text in natural order, then numbers.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let class = |value: &Self| match value {
            Self::Missing => 0,
            value if value.number().is_some() => 2,
            _ => 1,
        };
        class(self).cmp(&class(other)).then_with(|| match (self.number(), other.number()) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            _ => natural(&self.written().unwrap_or_default(), &other.written().unwrap_or_default()),
        })
    }
}

/// Digits with an optional sign, point and exponent; nothing else that Rust would take (`inf`, `nan`).
pub(super) fn read_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn write_time(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|moment| moment.format(TIME).ok())
        .unwrap_or_else(|| ms.to_string())
}

/// Runs of digits compare by length and then by value, everything else by Unicode.
fn natural(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        match (digits(left), digits(right)) {
            (0, _) | (_, 0) => {
                let (Some(first), Some(second)) = (left.chars().next(), right.chars().next()) else {
                    return left.len().cmp(&right.len());
                };
                if first != second {
                    return first.cmp(&second);
                }
                left = &left[first.len_utf8()..];
                right = &right[second.len_utf8()..];
            }
            (first, second) => {
                let order = first.cmp(&second).then_with(|| left[..first].cmp(&right[..second]));
                if order.is_ne() {
                    return order;
                }
                left = &left[first..];
                right = &right[second..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_example_of_sorting() {
        // The list under "sort" in the user guide.
        let ascending = ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh"];
        let mut values: Vec<Value> = ascending.iter().rev().map(|text| Value::text(*text)).collect();
        values.extend([3.0, 1.0, 0.0, 2.0].map(Value::Number));
        values.push(Value::Missing);
        values.sort_by(Value::order);
        let written: Vec<_> = values.iter().map(|value| value.written().unwrap_or_default().into_owned()).collect();
        assert_eq!(written.join(" "), format!(" {} 0 1 2 3", ascending.join(" ")));
    }

    #[test]
    fn numbers_and_times_are_written_as_people_read_them() {
        for (value, written) in [
            (Value::Number(500.0), "500"),
            (Value::Number(12.045), "12.045"),
            (Value::Number(-0.5), "-0.5"),
            (Value::Time(1_790_000_000_123), "2026-09-21 14:13:20.123"),
        ] {
            assert_eq!(value.written().as_deref(), Some(written));
        }
        assert_eq!(Value::text("10").compare(&Value::Number(9.0)), Some(Ordering::Greater));
        assert_eq!(Value::text("10").compare(&Value::text("9a")), Some(Ordering::Less));
        assert_eq!(Value::Missing.compare(&Value::text("a")), None);
    }
}
