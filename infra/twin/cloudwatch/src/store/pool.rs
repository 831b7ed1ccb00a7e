//! The values of one datapoint, gathered from buckets for a query.

use super::{bucket::Bucket, values::Values};

/// The four sums, and the single values when they were asked for.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    /// Value and how often, in any order.
    pub(crate) values: Vec<(f64, f64)>,
    /// Whether `values` are all: false when a statistic set is among them.
    pub(crate) complete: bool,
}

impl Default for Pool {
    fn default() -> Self {
        let (minimum, maximum) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { count: 0.0, sum: 0.0, minimum, maximum, values: Vec::new(), complete: true }
    }
}

impl Pool {
    pub(super) fn take(&mut self, bucket: &Bucket, with_values: bool) {
        self.count += bucket.count;
        self.sum += bucket.sum;
        self.minimum = self.minimum.min(bucket.minimum);
        self.maximum = self.maximum.max(bucket.maximum);
        self.complete &= bucket.values != Values::Unknown;
        if with_values {
            let (low, high) = (bucket.minimum, bucket.maximum);
            let mut take = |value: f64, count| self.values.push((value.clamp(low, high), count));
            bucket.values.for_each(low, bucket.count, &mut take);
        }
    }
}
