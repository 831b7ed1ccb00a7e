//! What FIFO queues add: groups that wait for their head, and the five minutes in which a message counts as sent already.

use std::collections::{HashMap, VecDeque};

/// The deduplication interval ("Exactly-once processing", Developer Guide), in milliseconds.
const INTERVAL_MS: i64 = 5 * 60 * 1000;

/// Messages sent within the interval.
#[derive(Debug, Default)]
pub(super) struct Recent {
    sent: HashMap<String, (String, u64)>,
    order: VecDeque<(i64, String)>,
}

impl Recent {
    /// Id and number of the message that was sent under this key already.
    pub(super) fn find(&mut self, key: &str, now_ms: i64) -> Option<(String, u64)> {
        while self.order.front().is_some_and(|(sent_ms, _)| sent_ms + INTERVAL_MS <= now_ms) {
            if let Some((_, key)) = self.order.pop_front() {
                self.sent.remove(&key);
            }
        }
        self.sent.get(key).cloned()
    }

    pub(super) fn add(&mut self, key: String, id: String, number: u64, now_ms: i64) {
        self.order.push_back((now_ms, key.clone()));
        self.sent.insert(key, (id, number));
    }
}

/// How many messages of each group are hidden. While there is one, nothing of its group is given out.
#[derive(Debug, Default)]
pub(super) struct Groups(HashMap<String, usize>);

impl Groups {
    pub(super) fn hide(&mut self, group: &str) {
        *self.0.entry(group.to_owned()).or_default() += 1;
    }

    pub(super) fn show(&mut self, group: &str) {
        if let Some(count) = self.0.get_mut(group) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(group);
            }
        }
    }

    pub(super) fn is_blocked(&self, group: &str) -> bool {
        self.0.contains_key(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_for_five_minutes() {
        let mut recent = Recent::default();
        recent.add("key".into(), "id".into(), 7, 1000);
        assert_eq!(recent.find("key", 1000 + INTERVAL_MS - 1), Some(("id".into(), 7)));
        assert_eq!(recent.find("key", 1000 + INTERVAL_MS), None);
        assert!(recent.order.is_empty() && recent.sent.is_empty());
    }
}
