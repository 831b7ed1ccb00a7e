//! How many took how long. Values are rounded to two significant digits, at least to a millisecond, so that any number of
//! requests makes at most some 90 entries per factor of ten.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts by whole milliseconds.
#[derive(Default)]
pub(crate) struct Histogram(BTreeMap<u64, u64>);

/// API reference, `HistogramEntry`.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entry {
    /// Seconds.
    value: f64,
    count: u64,
}

impl Histogram {
    /// Counts a duration in seconds.
    pub(crate) fn add(&mut self, seconds: f64) {
        // Clamped: what a caller says may be anything.
        let mut millis = (seconds.min(1e12) * 1000.0).round() as u64;
        let mut unit = 1;
        while millis >= 100 {
            millis = (millis + 5) / 10;
            unit *= 10;
        }
        *self.0.entry(millis * unit).or_default() += 1;
    }

    /// Ascending.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.iter().map(|(millis, count)| Entry { value: *millis as f64 / 1000.0, count: *count }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_few_entries() {
        let mut histogram = Histogram::default();
        for seconds in [0.0, 0.0004, 0.012_3, 0.012_4, 1.234, 1.19, 1e9] {
            histogram.add(seconds);
        }
        let entries: Vec<_> = histogram.entries().into_iter().map(|entry| (entry.value, entry.count)).collect();
        assert_eq!(entries, [(0.0, 2), (0.012, 2), (1.2, 2), (1e9, 1)]);
    }
}
