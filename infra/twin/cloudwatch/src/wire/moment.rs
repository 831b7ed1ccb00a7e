//! Timestamps as the protocols and the reasons of alarms write them. All are UTC.

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

/// The moment, kept within the years that ISO 8601 writes with four digits.
pub(crate) fn utc(epoch_ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(epoch_ms) * 1_000_000)
        .ok()
        .filter(|moment| (0..=9999).contains(&moment.year()))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2026-11-21T09:20:00.000Z`, the query protocol's form.
pub(crate) fn iso(epoch_ms: i64) -> String {
    text(epoch_ms, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
}

/// `2026-11-21T09:20:00.000+0000`, the form inside of an alarm's JSON.
pub(crate) fn offset(epoch_ms: i64) -> String {
    text(epoch_ms, format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000"))
}

/// `21/11/26 09:20:00`, the form inside of a state's reason.
pub(crate) fn short(epoch_ms: i64) -> String {
    text(epoch_ms, format_description!("[day]/[month]/[year repr:last_two] [hour]:[minute]:[second]"))
}

fn text(epoch_ms: i64, form: &[time::format_description::BorrowedFormatItem<'_>]) -> String {
    utc(epoch_ms).format(form).unwrap_or_default()
}

/// Reads ISO 8601 (with or without a zone; a day alone is its midnight), or seconds since the epoch as text.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return from_seconds(seconds);
    }
    // `+0000` is what `date -Iseconds` of some systems and AWS's own JSON write.
    let zoned = match text.char_indices().rev().nth(4) {
        Some((at, '+' | '-')) if text[at + 1..].bytes().all(|byte| byte.is_ascii_digit()) => {
            let (hours, minutes) = text.split_at(text.len() - 2);
            format!("{hours}:{minutes}")
        }
        _ => text.to_owned(),
    };
    let candidates = [zoned.clone(), format!("{zoned}Z"), format!("{zoned}:00Z"), format!("{zoned}T00:00:00Z")];
    let moment = candidates.iter().find_map(|candidate| OffsetDateTime::parse(candidate, &Rfc3339).ok())?;
    i64::try_from(moment.to_offset(UtcOffset::UTC).unix_timestamp_nanos() / 1_000_000).ok()
}

/// Seconds since the epoch to milliseconds; nothing outside of the years 1 to 9999.
pub(crate) fn from_seconds(seconds: f64) -> Option<i64> {
    const EDGE: f64 = 253_402_300_800.0;
    // Within ±2⁵³ after the check, so the cast is exact.
    #[allow(clippy::cast_possible_truncation, reason = "checked against the edge")]
    (seconds.is_finite() && seconds.abs() < EDGE).then(|| (seconds * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_read() {
        let expected = Some(1_795_248_000_000);
        for text in [
            "2026-11-21T08:00:00Z",
            "2026-11-21T08:00:00.000Z",
            "2026-11-21T08:00:00",
            "2026-11-21T08:00",
            "2026-11-21T09:00:00+01:00",
            "2026-11-21T09:00:00+0100",
            "1795248000",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("2026-11-21"), Some(1_795_219_200_000));
        for text in ["", "yesterday", "NaN", "1e300", "é+0000", "2026-13-01"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_in_each_form() {
        assert_eq!(iso(1_795_248_000_123), "2026-11-21T08:00:00.123Z");
        assert_eq!(offset(1_795_248_000_123), "2026-11-21T08:00:00.123+0000");
        assert_eq!(short(1_795_248_000_123), "21/11/26 08:00:00");
        assert_eq!(iso(i64::MAX), "1970-01-01T00:00:00.000Z");
    }
}
