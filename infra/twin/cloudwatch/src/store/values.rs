//! The distribution of a bucket's values: exact while they are few, log-linear after.
//!
//! Up to [`MOST_EXACT`] distinct values are kept as they are. Past that each value is rounded to 32 steps an octave (the upper
//! five bits of its mantissa), a relative error of at most 2⁻⁶ (1.6 %), with 8 bytes a step. [`MOST_STEPS`] steps cover eight
//! octaves without a gap; a value that finds no room goes to the nearest step there is.

/// Distinct values that are kept as they are.
const MOST_EXACT: usize = 8;
/// Steps in one bucket: 2 KiB.
const MOST_STEPS: usize = 256;
/// Bits of the mantissa that are rounded away.
const ROUNDED_BITS: u32 = 52 - 5;

/// Values with how often each came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Values {
    /// All equal to the bucket's minimum, which is its maximum.
    #[default]
    Equal,
    Exact(Vec<(f64, f64)>),
    /// Step and count, in the order of the steps.
    Steps(Vec<(u32, f32)>),
    /// A statistic set came: only the sums are known.
    Unknown,
}

impl Values {
    pub(super) fn add(&mut self, value: f64, count: f64) {
        match self {
            Self::Exact(pairs) => match pairs.iter().position(|(known, _)| *known == value) {
                Some(at) => pairs[at].1 += count,
                None if pairs.len() < MOST_EXACT => pairs.push((value, count)),
                None => {
                    let pairs = std::mem::take(pairs);
                    *self = Self::Steps(Vec::with_capacity(MOST_EXACT * 2));
                    pairs.into_iter().for_each(|(value, count)| self.add(value, count));
                    self.add(value, count);
                }
            },
            Self::Steps(steps) => add_step(steps, step(value), count),
            Self::Equal | Self::Unknown => {}
        }
    }

    /// Every value with its count; `equal` is the value that [`Values::Equal`] stands for, `total` how often it came.
    pub(super) fn for_each(&self, equal: f64, total: f64, mut take: impl FnMut(f64, f64)) {
        match self {
            Self::Equal => take(equal, total),
            Self::Exact(pairs) => pairs.iter().for_each(|(value, count)| take(*value, *count)),
            Self::Steps(steps) => steps.iter().for_each(|(step, count)| take(value_of(*step), f64::from(*count))),
            Self::Unknown => {}
        }
    }

    /// Copies into memory of the right size. Shrinking in place would leave a hole after each second, and holes took as much
    /// memory as the values (measured with glibc).
    pub(super) fn settle(&mut self) {
        match self {
            Self::Equal | Self::Unknown => {}
            Self::Exact(pairs) => *pairs = pairs.as_slice().to_vec(),
            Self::Steps(steps) => *steps = steps.as_slice().to_vec(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Equal | Self::Unknown => 0,
            Self::Exact(pairs) => pairs.capacity() * 16,
            Self::Steps(steps) => steps.capacity() * 8,
        }
    }
}

fn step(value: f64) -> u32 {
    let rounded = value.to_bits().saturating_add(1 << (ROUNDED_BITS - 1)) >> ROUNDED_BITS;
    u32::try_from(rounded).unwrap_or(u32::MAX)
}

pub(super) fn value_of(step: u32) -> f64 {
    f64::from_bits(u64::from(step) << ROUNDED_BITS)
}

fn add_step(steps: &mut Vec<(u32, f32)>, step: u32, count: f64) {
    #[allow(clippy::cast_possible_truncation, reason = "24 bits of a count are enough for a percentile")]
    let count = count as f32;
    match steps.binary_search_by_key(&step, |(known, _)| *known) {
        Ok(at) => steps[at].1 += count,
        Err(at) if steps.len() < MOST_STEPS => steps.insert(at, (step, count)),
        Err(at) => {
            let distance = |index: usize| steps.get(index).map_or(u32::MAX, |(known, _)| known.abs_diff(step));
            let before = at.saturating_sub(1);
            let nearest = if distance(at) < distance(before) { at } else { before };
            steps[nearest].1 += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_step_is_near_its_value(value in 1e-12_f64..1e12) {
            let error = (value_of(step(value)) - value).abs() / value;
            prop_assert!(error <= 1.0 / 64.0, "{value} became {} ({error})", value_of(step(value)));
            prop_assert!((value_of(step(-value)) + value_of(step(value))).abs() < f64::EPSILON);
        }

        #[test]
        fn no_value_is_lost(values in proptest::collection::vec(-1e6_f64..1e6, 1..2000)) {
            let mut kept = Values::Exact(Vec::new());
            values.iter().for_each(|value| kept.add(*value, 1.0));
            let mut count = 0.0;
            kept.for_each(0.0, 0.0, |_, times| count += times);
            prop_assert_eq!(count, f64::from(u32::try_from(values.len()).expect("few")));
            prop_assert!(kept.bytes() <= 8 * 2 * MOST_STEPS);
        }
    }
}
