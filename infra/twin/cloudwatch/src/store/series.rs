//! The buckets of one metric in one unit.

use std::collections::{BTreeMap, VecDeque};

use super::{FINE_S, Pool, Window, bucket::Bucket};

/// Seconds of a coarse bucket.
const MINUTE_S: i64 = 60;

/// Buckets in the order of time, only those that have values.
#[derive(Debug, Default)]
pub(super) struct Series {
    fine: VecDeque<Bucket>,
    coarse: VecDeque<Bucket>,
    last_s: i64,
    /// Kept, because counting asks every bucket.
    bytes: usize,
}

impl Series {
    /// Adds a second's values; what is too old for a second's bucket goes to its minute.
    pub(super) fn add(&mut self, bucket: Bucket, now_s: i64) {
        self.last_s = self.last_s.max(bucket.start_s);
        if bucket.start_s >= now_s - FINE_S {
            put(&mut self.fine, bucket, &mut self.bytes);
        } else {
            self.add_coarse(bucket);
        }
    }

    fn add_coarse(&mut self, bucket: Bucket) {
        let start_s = bucket.start_s.div_euclid(MINUTE_S) * MINUTE_S;
        put(&mut self.coarse, Bucket { start_s, ..bucket }, &mut self.bytes);
    }

    /// Rolls up what is before `fine_s` and forgets what is before `coarse_s`.
    pub(super) fn retire(&mut self, fine_s: i64, coarse_s: i64) {
        // Whole minutes only, so that a minute is never half in one and half in the other.
        let fine_s = fine_s.div_euclid(MINUTE_S) * MINUTE_S;
        while let Some(bucket) = self.fine.pop_front_if(|bucket| bucket.start_s < fine_s) {
            self.bytes -= bucket.bytes();
            self.add_coarse(bucket);
        }
        while let Some(bucket) = self.coarse.pop_front_if(|bucket| bucket.start_s < coarse_s) {
            self.bytes -= bucket.bytes();
        }
    }

    /// Adds the values within the window to their datapoints. Minutes have no seconds: they count only where the period is whole
    /// minutes, as AWS has it for data past three hours.
    pub(super) fn collect(&self, window: &Window, pools: &mut BTreeMap<i64, Pool>) {
        let coarse = if window.period_s % MINUTE_S == 0 { Some(&self.coarse) } else { None };
        for buckets in coarse.into_iter().chain([&self.fine]) {
            let from = buckets.partition_point(|bucket| bucket.start_s < window.start_s);
            let mut current: Option<(i64, Pool)> = None;
            for bucket in buckets.range(from..).take_while(|bucket| bucket.start_s < window.end_s) {
                let index = (bucket.start_s - window.start_s).div_euclid(window.period_s);
                let at = window.start_s + index * window.period_s;
                if current.as_ref().is_none_or(|(known, _)| *known != at) {
                    pools.extend(current.take());
                    current = Some((at, pools.remove(&at).unwrap_or_default()));
                }
                if let Some((_, pool)) = &mut current {
                    pool.take(bucket, window.with_values);
                }
            }
            pools.extend(current);
        }
    }

    pub(super) fn last_s(&self) -> i64 {
        self.last_s
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fine.is_empty() && self.coarse.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Merges the bucket into the one of the same time, or puts it where it belongs; nearly always that is the end.
fn put(buckets: &mut VecDeque<Bucket>, bucket: Bucket, bytes: &mut usize) {
    let at = match buckets.back() {
        Some(last) if last.start_s == bucket.start_s => buckets.len() - 1,
        Some(last) if last.start_s > bucket.start_s => buckets.partition_point(|known| known.start_s < bucket.start_s),
        _ => buckets.len(),
    };
    match buckets.get_mut(at) {
        Some(known) if known.start_s == bucket.start_s => {
            *bytes -= known.bytes();
            known.merge(&bucket);
            *bytes += known.bytes();
        }
        _ => {
            // A new second: the one before gets few values more, if any.
            if let Some(before) = at.checked_sub(1).and_then(|before| buckets.get_mut(before)) {
                *bytes -= before.bytes();
                before.settle();
                *bytes += before.bytes();
            }
            *bytes += bucket.bytes();
            buckets.insert(at, bucket);
        }
    }
}
