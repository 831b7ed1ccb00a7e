//! Metrics in memory: a bucket a second for three hours, a bucket a minute for fifteen days.
//!
//! Promises: memory is bounded by [`CAPACITY_BYTES`] and [`MOST_METRICS`]. A full store first rolls seconds up to minutes
//! before their time, then forgets the oldest minutes, then the metrics that were written longest ago. A bucket takes 72
//! bytes while all of its values are equal (a count, a gauge), 16 more for each distinct value up to eight, and at most 2 KiB
//! (see `values`). Retention is AWS's ("GetMetricData", CloudWatch API Reference), up to fifteen days.

mod bucket;
mod metric;
mod pool;
mod series;
mod values;

use std::collections::BTreeMap;

pub(crate) use bucket::Bucket;
pub(crate) use metric::Metric;
pub(crate) use pool::Pool;
use series::Series;

/// Memory of all metrics together, as counted; the process grows by a tenth more. Enough for six latency metrics at 200
/// requests a second (1 KiB a second each) and two hundred counts over three hours; less loses a drill's beginning, more fills
/// a laptop.
pub const CAPACITY_BYTES: usize = 64 << 20;

/// Distinct metrics (namespace, name, dimensions, unit). A caller that puts a request id into a dimension reaches it.
pub const MOST_METRICS: usize = 20_000;

/// Seconds for which single seconds are kept.
pub(crate) const FINE_S: i64 = 3 * 3600;

/// Seconds for which minutes are kept.
pub(crate) const COARSE_S: i64 = 15 * 24 * 3600;

/// One metric's values in one unit.
type Key = (Metric, &'static str);

/// All metrics.
#[derive(Default)]
pub(crate) struct Store {
    series: BTreeMap<Key, Series>,
    swept_s: i64,
}

/// What a query wants of one metric.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// First second, inclusive; periods are counted from here.
    pub(crate) start_s: i64,
    /// Last second, exclusive.
    pub(crate) end_s: i64,
    /// Length of a datapoint in seconds, at least 1.
    pub(crate) period_s: i64,
    /// Whether single values are needed (percentiles) or the four sums do.
    pub(crate) with_values: bool,
}

impl Store {
    /// Adds one bucket's worth of values.
    pub(crate) fn add(&mut self, metric: Metric, unit: &'static str, bucket: Bucket, now_s: i64) {
        self.series.entry((metric, unit)).or_default().add(bucket, now_s);
    }

    /// Keeps the bounds. Cheap when called often: it looks at everything once a minute, or when more than a minute's worth of
    /// memory may have come.
    pub(crate) fn sweep(&mut self, now_s: i64) {
        let due = now_s >= self.swept_s + 60 || now_s < self.swept_s;
        if !due && self.series.len() <= MOST_METRICS && self.bytes() <= CAPACITY_BYTES {
            return;
        }
        self.swept_s = now_s;
        self.shrink(now_s, CAPACITY_BYTES, MOST_METRICS);
    }

    fn shrink(&mut self, now_s: i64, capacity_bytes: usize, most_metrics: usize) {
        let mut fine_s = FINE_S;
        let mut coarse_s = COARSE_S;
        self.retire(now_s, fine_s, coarse_s);
        // A quarter more than asked is freed, so that a full store is not swept on every call.
        let goal = capacity_bytes / 4 * 3;
        let full = self.bytes() > capacity_bytes;
        while full && self.bytes() > goal && coarse_s > 60 {
            if fine_s > 60 {
                fine_s -= fine_s / 8;
            } else {
                coarse_s -= coarse_s / 8;
            }
            self.retire(now_s, fine_s, coarse_s);
        }
        let most = if self.series.len() > most_metrics { most_metrics / 4 * 3 } else { most_metrics };
        if self.series.len() > most || (full && self.bytes() > goal) {
            let mut by_age: Vec<(i64, Key)> =
                self.series.iter().map(|(key, series)| (series.last_s(), key.clone())).collect();
            by_age.sort_unstable();
            for (_, key) in by_age {
                if self.series.len() <= most && (!full || self.bytes() <= goal) {
                    break;
                }
                self.series.remove(&key);
            }
        }
    }

    fn retire(&mut self, now_s: i64, fine_s: i64, coarse_s: i64) {
        self.series.retain(|_, series| {
            series.retire(now_s - fine_s, now_s - coarse_s);
            !series.is_empty()
        });
    }

    /// Bytes in use, as counted.
    pub(crate) fn bytes(&self) -> usize {
        self.series.iter().map(|((metric, _), series)| metric.bytes() + series.bytes()).sum()
    }

    /// Number of metrics, units apart.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.series.len()
    }

    /// The datapoints of a metric, all units together unless one is named; periods without values are left out.
    pub(crate) fn pools(&self, metric: &Metric, unit: Option<&str>, window: &Window) -> BTreeMap<i64, Pool> {
        let mut pools = BTreeMap::new();
        for (_, series) in self.of(metric).filter(|(known, _)| unit.is_none_or(|unit| unit == *known)) {
            series.collect(window, &mut pools);
        }
        pools
    }

    /// The units in which a metric came.
    pub(crate) fn units(&self, metric: &Metric) -> Vec<&'static str> {
        self.of(metric).map(|(unit, _)| unit).collect()
    }

    fn of<'a>(&'a self, metric: &'a Metric) -> impl Iterator<Item = (&'static str, &'a Series)> {
        // The empty text sorts before every unit.
        self.series
            .range((metric.clone(), "")..)
            .take_while(move |((known, _), _)| known == metric)
            .map(|((_, unit), series)| (*unit, series))
    }

    /// Every metric once, in order, with the second of its latest value.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = (&Metric, i64)> {
        let mut all = self.series.iter().map(|((metric, _), series)| (metric, series.last_s())).peekable();
        std::iter::from_fn(move || {
            let (metric, mut last_s) = all.next()?;
            while let Some((_, other_s)) = all.next_if(|(next, _)| *next == metric) {
                last_s = last_s.max(other_s);
            }
            Some((metric, last_s))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str) -> Metric {
        Metric::new("Lab", name, Vec::new())
    }

    fn bucket(second: i64, values: impl IntoIterator<Item = f64>) -> Bucket {
        let mut bucket = Bucket::at(second);
        values.into_iter().for_each(|value| bucket.add(value, 1.0));
        bucket
    }

    const NOW_S: i64 = 1_795_252_800;

    #[test]
    fn seconds_become_minutes_after_three_hours_and_nothing_is_lost() {
        let mut store = Store::default();
        for second in 0..7200 {
            store.add(metric("a"), "Count", bucket(NOW_S + second, [1.0, 3.0]), NOW_S + second);
        }
        store.sweep(NOW_S + FINE_S + 3600);
        let window = |start_s, period_s| Window { start_s, end_s: NOW_S + 7200, period_s, with_values: true };
        let pools = store.pools(&metric("a"), None, &window(NOW_S, 60));
        assert_eq!(pools.len(), 120);
        assert!(pools.values().all(|pool| pool.count == 120.0 && pool.sum == 240.0), "{pools:?}");
        assert!(
            store.pools(&metric("a"), None, &window(NOW_S, 1)).keys().all(|at| *at >= NOW_S + 3600),
            "seconds are gone"
        );
        assert_eq!(store.pools(&metric("a"), Some("Seconds"), &window(NOW_S, 60)).len(), 0);
        store.sweep(NOW_S + COARSE_S + 7200);
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn an_hour_at_200_requests_a_second_takes_four_mebibytes_a_latency() {
        let mut store = Store::default();
        // Latencies of 5 to 500 ms, most of them short.
        for second in 0..3600 {
            let latencies = (0..200).map(|request| {
                let part = f64::from((request * 7919 + u32::try_from(second).unwrap_or_default() * 31) % 1000) / 1000.0;
                0.005 * 100_f64.powf(part * part)
            });
            store.add(metric("latency"), "Seconds", bucket(NOW_S + second, latencies), NOW_S + second);
        }
        let latency = store.bytes();
        assert!(latency < 4 << 20, "{latency} bytes");
        for second in 0..3600 {
            store.add(metric("count"), "Count", bucket(NOW_S + second, [57.0]), NOW_S + second);
        }
        assert!(store.bytes() - latency < 300_000, "{} bytes for a count", store.bytes() - latency);
    }

    #[test]
    fn a_full_store_drops_its_oldest() {
        let mut store = Store::default();
        for number in 0..100_i64 {
            for second in 0..100 {
                store.add(metric(&number.to_string()), "None", bucket(NOW_S + second, [1.0]), NOW_S + number);
            }
        }
        let before = store.bytes();
        store.shrink(NOW_S + 100, before / 2, 50);
        assert!(store.bytes() <= before / 2, "{} of {before}", store.bytes());
        assert!(store.len() <= 50);
        let latest = store.pools(
            &metric("99"),
            None,
            &Window { start_s: NOW_S, end_s: NOW_S + 120, period_s: 60, with_values: false },
        );
        assert!(!latest.is_empty());
    }
}
