//! Time periods (`5m`, `1 hour`) and rounding to them ("bin" and "Datetime functions" in the user guide). UTC.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    /// Milliseconds, at least 1.
    Fixed(i64),
    /// Months of the calendar, at least 1.
    Months(i64),
}

impl Period {
    /// A period of so many units; none when there is no such unit, or the count is not a whole number from 1.
    pub(super) fn new(count: f64, unit: &str) -> Option<Self> {
        const SECOND: i64 = 1000;
        let unit = unit.to_ascii_lowercase();
        let singular = unit.strip_suffix('s').filter(|rest| rest.len() > 1).unwrap_or(&unit);
        let one = match singular {
            "ms" | "msec" | "millisecond" => Self::Fixed(1),
            "s" | "sec" | "second" => Self::Fixed(SECOND),
            "m" | "min" | "minute" => Self::Fixed(60 * SECOND),
            "h" | "hr" | "hour" => Self::Fixed(3600 * SECOND),
            "d" | "day" => Self::Fixed(24 * 3600 * SECOND),
            "w" | "week" => Self::Fixed(7 * 24 * 3600 * SECOND),
            "mo" | "mon" | "month" => Self::Months(1),
            "q" | "qtr" | "quarter" => Self::Months(3),
            "y" | "yr" | "year" => Self::Months(12),
            _ => return None,
        };
        #[allow(clippy::cast_possible_truncation, reason = "whole and below a million")]
        let count = (count.fract() == 0.0 && (1.0..=1e6).contains(&count)).then_some(count as i64)?;
        Some(match one {
            Self::Fixed(ms) => Self::Fixed(ms * count),
            Self::Months(months) => Self::Months(months * count),
        })
    }

    /// The beginning of the period that the moment lies in.
    pub(super) fn floor(self, ms: i64) -> i64 {
        match self {
            Self::Fixed(length) => ms - ms.rem_euclid(length),
            Self::Months(length) => month_of(ms).map_or(ms, |month| start_of(month - month.rem_euclid(length), ms)),
        }
    }

    /// The moment itself when it begins a period, else the beginning of the next one.
    pub(super) fn ceil(self, ms: i64) -> i64 {
        let floor = self.floor(ms);
        match self {
            _ if floor == ms => ms,
            Self::Fixed(length) => floor.saturating_add(length),
            Self::Months(length) => month_of(floor).map_or(ms, |month| start_of(month + length, ms)),
        }
    }
}

/// Months since the year 0.
fn month_of(ms: i64) -> Option<i64> {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()?;
    Some(i64::from(moment.year()) * 12 + i64::from(u8::from(moment.month())) - 1)
}

/// Where a month begins; `otherwise` when the calendar does not reach that far.
fn start_of(month: i64, otherwise: i64) -> i64 {
    let first = || {
        let year = i32::try_from(month.div_euclid(12)).ok()?;
        let month = Month::try_from(u8::try_from(month.rem_euclid(12) + 1).ok()?).ok()?;
        let date = Date::from_calendar_date(year, month, 1).ok()?;
        Some(OffsetDateTime::new_in_offset(date, Time::MIDNIGHT, UtcOffset::UTC).unix_timestamp() * 1000)
    };
    first().unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_rounded_to_periods() {
        // 2026-09-21 14:13:20.123
        let ms = 1_790_000_000_123;
        for (count, unit, floor) in [
            (5.0, "m", 1_789_999_800_000),
            (1.0, "hours", 1_789_999_200_000),
            (100.0, "ms", 1_790_000_000_100),
            (1.0, "d", 1_789_948_800_000),
            (1.0, "mo", 1_788_220_800_000),
            (1.0, "quarter", 1_782_864_000_000),
            (1.0, "y", 1_767_225_600_000),
        ] {
            let period = Period::new(count, unit).expect(unit);
            assert_eq!(period.floor(ms), floor, "{count}{unit}");
            assert_eq!(period.ceil(floor), floor);
            assert!(period.ceil(ms) > ms);
        }
        assert_eq!(Period::new(0.0, "m"), None);
        assert_eq!(Period::new(1.5, "m"), None);
        assert_eq!(Period::new(1.0, "x"), None);
    }
}
