//! What `AWS/SQS` says of a queue ("Available CloudWatch metrics for Amazon SQS", Developer Guide).

use std::{borrow::Cow, collections::BTreeMap};

use twin_platform::seam::Datum;

use super::queue::Queue;

/// A queue is active while it holds messages, and for six hours after the last call on it.
const ACTIVE_MS: i64 = 6 * 60 * 60 * 1000;
/// Sizes that are kept apart between two samples; further ones are rounded down to a multiple of 256 bytes.
const MAX_SIZES: usize = 1000;

/// What has happened on a queue since the last sample.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) received: u64,
    pub(super) deleted: u64,
    pub(super) empty_receives: u64,
    sent: u64,
    sizes: BTreeMap<usize, u64>,
    last_call_ms: i64,
}

impl Counts {
    pub(super) fn new(now_ms: i64) -> Self {
        Self { last_call_ms: now_ms, ..Self::default() }
    }

    /// A call on the queue, of any kind.
    pub(super) fn called(&mut self, now_ms: i64) {
        self.last_call_ms = now_ms;
    }

    /// A message of `size` bytes was sent. Dead letters that AWS moves do not count.
    pub(super) fn sent(&mut self, size: usize) {
        self.sent += 1;
        let known = self.sizes.len() < MAX_SIZES || self.sizes.contains_key(&size);
        *self.sizes.entry(if known { size } else { size & !255 }).or_default() += 1;
    }
}

/// The data of one queue; none of one that is not active.
pub(super) fn sample(queue: &mut Queue, now_ms: i64) -> Vec<Datum> {
    queue.catch_up(now_ms);
    let [visible, in_flight, delayed] = queue.depths();
    let last_call_ms = queue.counts.last_call_ms;
    if visible + in_flight + delayed == 0 && now_ms - last_call_ms > ACTIVE_MS {
        return Vec::new();
    }
    let counts = std::mem::replace(&mut queue.counts, Counts::new(last_call_ms));
    let age_s = queue.oldest_ms().map_or(0.0, |oldest_ms| (now_ms - oldest_ms).max(0) as f64 / 1000.0);
    let name = queue.name.clone();
    let datum = |metric: &'static str, unit: &'static str, values: Vec<(f64, f64)>| Datum {
        namespace: "AWS/SQS".into(),
        name: metric.into(),
        dimensions: vec![(Cow::Borrowed("QueueName"), name.clone())],
        unit,
        timestamp_ms: now_ms,
        values,
    };
    let one = |metric, value: f64| datum(metric, "Count", vec![(value, 1.0)]);
    let mut data = vec![
        one("ApproximateNumberOfMessagesVisible", visible as f64),
        one("ApproximateNumberOfMessagesNotVisible", in_flight as f64),
        one("ApproximateNumberOfMessagesDelayed", delayed as f64),
        datum("ApproximateAgeOfOldestMessage", "Seconds", vec![(age_s, 1.0)]),
        one("NumberOfMessagesSent", counts.sent as f64),
        one("NumberOfMessagesReceived", counts.received as f64),
        one("NumberOfMessagesDeleted", counts.deleted as f64),
        one("NumberOfEmptyReceives", counts.empty_receives as f64),
    ];
    if !counts.sizes.is_empty() {
        let sizes = counts.sizes.into_iter().map(|(size, count)| (size as f64, count as f64));
        data.push(datum("SentMessageSize", "Bytes", sizes.collect()));
    }
    data
}

#[cfg(test)]
mod tests {
    use super::{
        super::{message::Draft, settings::Settings},
        *,
    };

    #[test]
    fn a_sample_holds_what_happened_since_the_last() {
        let mut queue = Queue::new("q", "arn".into(), Settings::new(false), 0);
        for (body, delay_s) in [("ab", 0), ("ab", 0), ("abc", 0), ("x", 600)] {
            let draft = Draft { body: body.into(), delay_s: Some(delay_s), ..Draft::default() };
            assert!(queue.send(draft, "1", 1000).is_ok());
        }
        assert!(queue.receive(1, 30_000, None, 2000).is_ok());
        let value = |data: &[Datum], metric: &str| {
            let found = data.iter().find(|datum| datum.name == metric).map(|datum| datum.values.clone());
            found.unwrap_or_default()
        };
        let data = sample(&mut queue, 11_000);
        assert_eq!(value(&data, "ApproximateNumberOfMessagesVisible"), [(2.0, 1.0)]);
        assert_eq!(value(&data, "ApproximateNumberOfMessagesNotVisible"), [(1.0, 1.0)]);
        assert_eq!(value(&data, "ApproximateNumberOfMessagesDelayed"), [(1.0, 1.0)]);
        assert_eq!(value(&data, "ApproximateAgeOfOldestMessage"), [(10.0, 1.0)]);
        assert_eq!(value(&data, "NumberOfMessagesSent"), [(4.0, 1.0)]);
        assert_eq!(value(&data, "SentMessageSize"), [(1.0, 1.0), (2.0, 2.0), (3.0, 1.0)]);
        assert_eq!(data[0].dimensions, [(Cow::Borrowed("QueueName"), "q".to_owned())]);
        let data = sample(&mut queue, 12_000);
        assert_eq!(value(&data, "NumberOfMessagesSent"), [(0.0, 1.0)]);
        assert_eq!(value(&data, "SentMessageSize"), []);
        queue.purge(12_000);
        assert!(sample(&mut queue, 12_000 + ACTIVE_MS).is_empty());
    }
}
