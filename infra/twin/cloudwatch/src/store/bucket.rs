//! The values of one metric in one second or minute.

use super::values::Values;

/// The four sums and the distribution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bucket {
    /// First second of the bucket since the epoch.
    pub(super) start_s: i64,
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
    pub(super) values: Values,
}

impl Bucket {
    /// An empty bucket.
    pub(crate) fn at(start_s: i64) -> Self {
        Self {
            start_s,
            count: 0.0,
            sum: 0.0,
            minimum: f64::INFINITY,
            maximum: f64::NEG_INFINITY,
            values: Values::Equal,
        }
    }

    /// A statistic set, whose single values nobody knows – unless they must all be equal ("CloudWatch statistics definitions").
    pub(crate) fn of_set(start_s: i64, count: f64, sum: f64, minimum: f64, maximum: f64) -> Self {
        #[allow(clippy::float_cmp, reason = "AWS's rule is equality")]
        let equal = minimum == maximum && sum == minimum * count;
        let values = if equal { Values::Equal } else { Values::Unknown };
        Self { start_s, count, sum, minimum, maximum, values }
    }

    /// Adds a value that came `count` times.
    pub(crate) fn add(&mut self, value: f64, count: f64) {
        #[allow(clippy::float_cmp, reason = "a value either is the one that all others are, or is another")]
        if self.count == 0.0 && self.values == Values::Equal {
            (self.minimum, self.maximum) = (value, value);
        } else if self.values == Values::Equal && value != self.minimum {
            self.values = Values::Exact(vec![(self.minimum, self.count)]);
        }
        self.values.add(value, count);
        self.count += count;
        self.sum += value * count;
        self.minimum = self.minimum.min(value);
        self.maximum = self.maximum.max(value);
    }

    /// Whether no value came yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0.0
    }

    /// Adds all values of another bucket.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0.0 {
            return;
        }
        if self.values == Values::Unknown || other.values == Values::Unknown {
            self.values = Values::Unknown;
            self.count += other.count;
            self.sum += other.sum;
            self.minimum = self.minimum.min(other.minimum);
            self.maximum = self.maximum.max(other.maximum);
            return;
        }
        let sum = self.sum + other.sum;
        other.values.for_each(other.minimum, other.count, |value, count| self.add(value, count));
        // Steps are rounded; the sum and the edges are not.
        self.sum = sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
    }

    /// Gives back memory that only further values would need.
    pub(super) fn settle(&mut self) {
        self.values.settle();
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.values.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_whatever_is_merged() {
        let mut bucket = Bucket::at(0);
        bucket.add(5.0, 3.0);
        assert_eq!(bucket.values, Values::Equal);
        assert_eq!(bucket.bytes(), 72, "the figure in the store's description");
        let mut other = Bucket::at(0);
        (1..=100).for_each(|value| other.add(f64::from(value), 1.0));
        bucket.merge(&other);
        assert_eq!((bucket.count, bucket.sum, bucket.minimum, bucket.maximum), (103.0, 5065.0, 1.0, 100.0));
        bucket.merge(&Bucket::of_set(0, 2.0, 300.0, 100.0, 200.0));
        assert_eq!(bucket.values, Values::Unknown);
        assert_eq!((bucket.count, bucket.sum, bucket.maximum), (105.0, 5365.0, 200.0));
        assert_eq!(Bucket::of_set(0, 2.0, 300.0, 150.0, 150.0).values, Values::Equal);
    }
}
