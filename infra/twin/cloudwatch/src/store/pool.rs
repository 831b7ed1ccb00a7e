//! The values of one datapoint, gathered from buckets for a query.

use super::{
    bucket::Bucket,
    values::{Values, value_of},
};

/// Steps that are gathered by position: 128 octaves. What lies apart from that is kept in a list.
const MOST_STEPS: u32 = 4096;

/// The four sums, and the single values when they were asked for.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    /// Whether the single values are all: false when a statistic set is among them.
    pub(crate) complete: bool,
    /// Value and how often, in any order.
    values: Vec<(f64, f64)>,
    /// How often each step came, from `first_step` on. Three hours of latencies are a million steps: adding them up by
    /// position costs a hundredth of sorting them.
    steps: Vec<f64>,
    first_step: u32,
}

impl Default for Pool {
    fn default() -> Self {
        let (minimum, maximum) = (f64::INFINITY, f64::NEG_INFINITY);
        let (values, steps) = (Vec::new(), Vec::new());
        Self { count: 0.0, sum: 0.0, minimum, maximum, complete: true, values, steps, first_step: 0 }
    }
}

impl Pool {
    pub(super) fn take(&mut self, bucket: &Bucket, with_values: bool) {
        let first = self.count == 0.0;
        self.count += bucket.count;
        self.sum += bucket.sum;
        self.minimum = self.minimum.min(bucket.minimum);
        self.maximum = self.maximum.max(bucket.maximum);
        self.complete &= bucket.values != Values::Unknown;
        match &bucket.values {
            _ if !with_values => {}
            Values::Equal => self.values.push((bucket.minimum, bucket.count)),
            Values::Exact(pairs) => self.values.extend_from_slice(pairs),
            // A datapoint of one second has one bucket, and nothing to add up.
            Values::Steps(steps) if first => {
                let (low, high) = (bucket.minimum, bucket.maximum);
                let value = |(step, count): &(u32, f32)| (value_of(*step).clamp(low, high), f64::from(*count));
                self.values.extend(steps.iter().map(value));
            }
            Values::Steps(steps) => {
                self.make_room(steps);
                steps.iter().for_each(|(step, count)| self.take_step(*step, f64::from(*count)));
            }
            Values::Unknown => {}
        }
    }

    /// Widens the positions to the steps' range where that stays within bounds.
    fn make_room(&mut self, steps: &[(u32, f32)]) {
        let (Some((low, _)), Some((high, _))) = (steps.first(), steps.last()) else { return };
        if self.steps.is_empty() {
            self.first_step = *low;
        }
        let known = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let low = self.first_step.min(*low);
        let high = self.first_step.saturating_add(known).max(high.saturating_add(1));
        if high - low > MOST_STEPS {
            return;
        }
        let before = usize::try_from(self.first_step - low).unwrap_or_default();
        self.steps.splice(0..0, std::iter::repeat_n(0.0, before));
        self.first_step = low;
        self.steps.resize(usize::try_from(high - low).unwrap_or_default(), 0.0);
    }

    fn take_step(&mut self, step: u32, count: f64) {
        let at = step.checked_sub(self.first_step).and_then(|at| usize::try_from(at).ok());
        match at.and_then(|at| self.steps.get_mut(at)) {
            Some(times) => *times += count,
            None => self.values.push((value_of(step), count)),
        }
    }

    /// Each value with how often it came, least first.
    pub(crate) fn sorted(&mut self) -> &[(f64, f64)] {
        let (minimum, maximum) = (self.minimum, self.maximum);
        let steps = std::mem::take(&mut self.steps);
        let gathered = (self.first_step..).zip(steps).filter(|(_, count)| *count > 0.0);
        // A step is rounded, the least and the greatest value are not.
        self.values.extend(gathered.map(|(step, count)| (value_of(step).clamp(minimum, maximum), count)));
        self.values.sort_unstable_by(|(left, _), (right, _)| left.total_cmp(right));
        &self.values
    }

    /// A pool of these values with their counts.
    #[cfg(test)]
    pub(crate) fn of(values: Vec<(f64, f64)>) -> Self {
        let mut pool = Self { values, ..Self::default() };
        for (value, count) in &pool.values {
            pool.count += count;
            pool.sum += value * count;
            pool.minimum = pool.minimum.min(*value);
            pool.maximum = pool.maximum.max(*value);
        }
        pool
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_any_range_are_gathered_whole() {
        let mut pool = Pool::default();
        for scale in [1.0, 1e-3, 1e3, 0.0, 1e60, 1e-60, -1.0] {
            let mut bucket = Bucket::at(0);
            (1..=50).for_each(|step| bucket.add(scale * (1.0 + f64::from(step) / 10.0), 2.0));
            pool.take(&bucket, true);
        }
        let sorted = pool.sorted().to_vec();
        assert!(sorted.is_sorted_by(|(left, _), (right, _)| left <= right));
        assert_eq!(sorted.iter().map(|(_, count)| count).sum::<f64>(), 700.0);
        assert_eq!(pool.count, 700.0);
        assert_eq!((sorted[0].0, pool.minimum), (-6.0, -6.0));
    }
}
