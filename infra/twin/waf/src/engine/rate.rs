//! How often each key came lately: the table behind a rate-based statement.
//!
//! The evaluation window slides by a tenth of itself: a key's count is that of the running tenth and the nine before it. A key's rate is
//! compared with the limit every [`CHECK_S`] seconds, divided by the time factor because it is the platform that waits there. The
//! window is not divided: the requests that it counts come at the speed of the wall clock.
//!
//! Bounded: at most [`MOST_KEYS`] keys, about 80 bytes each; of more, those that came least are forgotten.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, PoisonError},
};

use twin_platform::Speed;

/// Seconds between two looks at a key's rate, about as often as AWS does.
const CHECK_S: f64 = 10.0;
/// Parts of a window.
const PARTS: usize = 10;
/// Tables beside each other, so that requests on two cores seldom wait for one lock.
const SHARDS: usize = 16;
/// Keys that a table holds.
const MOST_KEYS: usize = 16 * 7168;

/// The counts of one rate-based statement.
#[derive(Debug)]
pub(crate) struct RateTable {
    limit: u64,
    part_ms: u64,
    check_ms: u64,
    shards: [Mutex<HashMap<u128, Key>>; SHARDS],
}

/// What is known of one key.
#[derive(Clone, Copy, Debug)]
struct Key {
    counts: [u32; PARTS],
    /// The part that was counted last.
    part: u32,
    /// The check that judged it last, and what it said.
    check: u32,
    limited: bool,
}

impl RateTable {
    pub(crate) fn new(limit: u64, window_s: u64, speed: Speed) -> Self {
        let check_ms = u64::try_from(speed.wait(CHECK_S).as_millis()).unwrap_or(u64::MAX).max(1);
        Self { limit, part_ms: (window_s * 1000 / PARTS as u64).max(1), check_ms, shards: Default::default() }
    }

    /// Counts a request of the key, and says whether the key is over the limit.
    pub(crate) fn hit(&self, key: u128, now_ms: u64) -> bool {
        let (part, check) = (index(now_ms / self.part_ms), index(now_ms / self.check_ms));
        let mut keys = self.shard(key);
        if keys.len() >= MOST_KEYS / SHARDS && !keys.contains_key(&key) {
            make_room(&mut keys, part);
        }
        match keys.entry(key) {
            Entry::Vacant(vacant) => {
                let mut counts = [0; PARTS];
                counts[part as usize % PARTS] = 1;
                vacant.insert(Key { counts, part, check, limited: false });
                false
            }
            Entry::Occupied(mut occupied) => {
                let key = occupied.get_mut();
                key.forget_before(part);
                let count = &mut key.counts[part as usize % PARTS];
                *count = count.saturating_add(1);
                if key.check != check {
                    key.check = check;
                    key.limited = key.sum() > self.limit;
                }
                key.limited
            }
        }
    }

    /// The keys that are over the limit now.
    pub(crate) fn limited(&self, now_ms: u64) -> Vec<u128> {
        let part = index(now_ms / self.part_ms);
        let mut limited = Vec::new();
        for shard in &self.shards {
            let keys = shard.lock().unwrap_or_else(PoisonError::into_inner);
            limited.extend(keys.iter().filter_map(|(key, known)| {
                let mut now = *known;
                now.forget_before(part);
                (now.sum() > self.limit).then_some(*key)
            }));
        }
        limited
    }

    fn shard(&self, key: u128) -> std::sync::MutexGuard<'_, HashMap<u128, Key>> {
        // Neighbours in a range differ in their last bits, and mapped IPv4 addresses only there.
        let folded = (key ^ (key >> 64)) as u64;
        let shard = (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60) as usize % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Times count in few bits: a table lives for days, and equality is all that is asked.
fn index(number: u64) -> u32 {
    (number & u64::from(u32::MAX)) as u32
}

/// Forgets keys that did not come within the window, then those that came least.
fn make_room(keys: &mut HashMap<u128, Key>, part: u32) {
    keys.retain(|_, key| part.wrapping_sub(key.part) < PARTS as u32);
    let full = MOST_KEYS / SHARDS;
    let mut least = 1;
    while keys.len() >= full - full / 8 {
        keys.retain(|_, key| key.sum() > least);
        least *= 4;
    }
}

impl Key {
    fn forget_before(&mut self, part: u32) {
        let passed = part.wrapping_sub(self.part);
        if passed >= PARTS as u32 {
            self.counts = [0; PARTS];
        } else {
            for gone in 1..=passed {
                self.counts[self.part.wrapping_add(gone) as usize % PARTS] = 0;
            }
        }
        self.part = part;
    }

    fn sum(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(limit: u64) -> RateTable {
        RateTable::new(limit, 60, Speed::new(10.0).expect("within the range"))
    }

    #[test]
    fn a_key_is_over_the_limit_at_the_next_check_and_no_longer_when_its_requests_are_old() {
        let table = table(100);
        assert!((0..150).all(|_| !table.hit(7, 10_000)), "nobody has looked yet");
        assert!(table.hit(7, 11_000), "a second is ten of the platform's");
        assert!(!table.hit(8, 11_000), "another key has its own count");
        assert_eq!(table.limited(12_000), [7]);
        assert!(table.hit(7, 65_000), "the sixth of a minute in which they came still counts");
        assert!(!table.hit(7, 72_000), "now it does not");
        assert_eq!(table.limited(72_000), []);
    }

    #[test]
    fn a_slow_client_is_never_limited() {
        let table = table(10);
        assert!((0..100).all(|n| !table.hit(1, n * 6_500)), "nine or ten within any minute");
    }

    #[test]
    fn a_hundred_thousand_keys_are_held_and_millions_are_not() {
        let table = table(10);
        let held = || table.shards.iter().map(|shard| shard.lock().expect("no panic").len()).sum::<usize>();
        for key in 0..100_000 {
            table.hit((key << 7) + 3, 1);
        }
        assert_eq!(held(), 100_000);
        // A hash table of 2^n places takes an eighth more than it uses at least, and has a byte for each place.
        let places: usize = table.shards.iter().map(|shard| shard.lock().expect("no panic").capacity() * 8 / 7).sum();
        let bytes = places * (size_of::<(u128, Key)>() + 1);
        assert!(bytes < 32 << 20, "{bytes}");
        for _ in 0..20 {
            table.hit(42, 2);
        }
        for key in 0..1_000_000 {
            table.hit((1 << 100) + key, 3);
        }
        assert!(held() <= MOST_KEYS, "{}", held());
        assert!(table.hit(42, 5_000), "the busiest key is still known");
    }
}
