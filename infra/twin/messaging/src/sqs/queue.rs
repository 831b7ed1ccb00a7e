//! One queue: what is in it, in order, and when what is hidden comes back. Pure state; the time is an argument.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::Notify;
use twin_platform::AwsError;

use super::{
    CAPACITY_BYTES,
    error::{bad_receipt, bad_value},
    fifo::{Groups, Recent},
    message::{Draft, Message, Place},
    metrics::Counts,
    receipt::Receipt,
    settings::Settings,
};
use crate::attribute;

/// "Quotas related to messages": most messages in flight, of a standard queue and since November 2024 of a FIFO queue.
const MAX_IN_FLIGHT: usize = 120_000;
/// Longest visibility time-out, counted from the receiving, in seconds.
pub(super) const MAX_VISIBILITY_S: i64 = 43_200;
/// Sequence numbers of FIFO queues have 20 digits and grow.
const FIRST_SEQUENCE: u64 = 10_000_000_000_000_000_000;

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    pub(super) settings: Settings,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) counts: Counts,
    pub(super) purged_ms: Option<i64>,
    /// Woken whenever something may have become visible, or the queue is gone.
    pub(super) changed: Arc<Notify>,
    /// In receipt handles.
    secret: u64,
    /// By number, which is the order of arrival.
    messages: BTreeMap<u64, Message>,
    visible: BTreeSet<u64>,
    /// Delayed and in flight, by when they become visible.
    hidden: BTreeSet<(i64, u64)>,
    in_flight: usize,
    /// By the moment from which retention counts.
    ages: BTreeSet<(i64, u64)>,
    groups: Groups,
    recent: Recent,
    bytes: usize,
    next: u64,
}

/// What a sender learns.
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) body_md5: String,
    pub(super) sequence: Option<String>,
}

/// What a receiving finds.
#[derive(Default)]
pub(super) struct Received {
    /// Numbers of the messages that the caller has now.
    pub(super) numbers: Vec<u64>,
    /// Messages for the dead-letter queue.
    pub(super) dead: Vec<Message>,
}

impl Queue {
    pub(super) fn new(name: &str, arn: String, settings: Settings, now_ms: i64) -> Self {
        Self {
            name: name.to_owned(),
            arn,
            created_ms: now_ms,
            modified_ms: now_ms,
            settings,
            tags: BTreeMap::new(),
            counts: Counts::new(now_ms),
            purged_ms: None,
            changed: Arc::default(),
            secret: fastrand::u64(..),
            messages: BTreeMap::new(),
            visible: BTreeSet::new(),
            hidden: BTreeSet::new(),
            in_flight: 0,
            ages: BTreeSet::new(),
            groups: Groups::default(),
            recent: Recent::default(),
            bytes: 0,
            next: 1,
        }
    }

    /// Takes a message that is valid. A FIFO queue that had it within five minutes answers the first one's id.
    pub(super) fn send(&mut self, draft: Draft, sender: &str, now_ms: i64) -> Result<Sent, AwsError> {
        let body_md5 = attribute::md5_of(&draft.body);
        let mut draft = draft;
        let key = self.settings.fifo.then(|| {
            let id = draft.deduplication.get_or_insert_with(|| body_md5.clone());
            let scope = draft.group.as_deref().filter(|_| self.settings.deduplicate_by_group).unwrap_or_default();
            format!("{scope}\n{id}")
        });
        if let Some((id, number)) = key.as_ref().and_then(|key| self.recent.find(key, now_ms)) {
            return Ok(Sent { id, body_md5, sequence: self.sequence(number) });
        }
        let delay_s = draft.delay_s.filter(|_| !self.settings.fifo).unwrap_or(self.settings.delay_s);
        let size = draft.size();
        let message = Message {
            id: uuid::Uuid::new_v4().to_string(),
            draft,
            sender: sender.to_owned(),
            sent_ms: now_ms,
            arrived_ms: now_ms,
            first_received_ms: None,
            last_received_ms: 0,
            received: 0,
            dead_letter_source: None,
            place: if delay_s > 0 { Place::Delayed(now_ms + delay_s * 1000) } else { Place::Visible },
        };
        if self.bytes + message.weight() > CAPACITY_BYTES {
            let limit = CAPACITY_BYTES >> 20;
            let message =
                format!("The twin keeps at most {limit} MiB of messages in a queue, and {} is full.", self.name);
            return Err(AwsError::client("OverLimit", message));
        }
        let id = message.id.clone();
        let number = self.put(message, now_ms);
        if let Some(key) = key {
            self.recent.add(key, id.clone(), number, now_ms);
        }
        self.counts.sent(size);
        Ok(Sent { id, body_md5, sequence: self.sequence(number) })
    }

    /// Takes a message that another queue gave up. Retention counts on from when it was sent, but in a FIFO queue from now
    /// ("Dead-letter queues", Developer Guide).
    pub(super) fn bury(&mut self, mut message: Message, source_arn: &str, now_ms: i64) {
        message.dead_letter_source = Some(source_arn.to_owned());
        message.place = Place::Visible;
        let _number = self.put(message, now_ms);
    }

    fn put(&mut self, mut message: Message, now_ms: i64) -> u64 {
        let number = self.next;
        self.next += 1;
        self.bytes += message.weight();
        message.arrived_ms = now_ms;
        self.ages.insert((self.age_base(&message), number));
        let place = std::mem::replace(&mut message.place, Place::Visible);
        self.messages.insert(number, message);
        self.visible.insert(number);
        self.move_to(number, place);
        self.changed.notify_waiters();
        number
    }

    fn age_base(&self, message: &Message) -> i64 {
        if self.settings.fifo { message.arrived_ms } else { message.sent_ms }
    }

    /// Gives out at most `max` messages for `visibility_ms`. With `max_receives`, those that were received so often already are
    /// given up instead.
    pub(super) fn receive(
        &mut self,
        max: usize,
        visibility_ms: i64,
        max_receives: Option<u32>,
        now_ms: i64,
    ) -> Result<Received, AwsError> {
        self.catch_up(now_ms);
        let room = MAX_IN_FLIGHT.saturating_sub(self.in_flight);
        if room == 0 && !self.settings.fifo {
            return Err(AwsError::client("OverLimit", "Too many messages are in flight in this queue."));
        }
        let (mut numbers, mut dead) = (Vec::new(), Vec::new());
        for number in &self.visible {
            if numbers.len() == max.min(room) {
                break;
            }
            let Some(message) = self.messages.get(number) else { continue };
            let group = message.draft.group.as_deref().filter(|_| self.settings.fifo);
            if group.is_some_and(|group| self.groups.is_blocked(group)) {
                continue;
            }
            let given_up = max_receives.is_some_and(|max_receives| message.received >= max_receives);
            if given_up { dead.push(*number) } else { numbers.push(*number) }
        }
        let dead = dead.into_iter().filter_map(|number| self.remove(number)).collect();
        for number in &numbers {
            if let Some(message) = self.messages.get_mut(number) {
                message.received += 1;
                message.first_received_ms.get_or_insert(now_ms);
                message.last_received_ms = now_ms;
            }
            self.move_to(*number, Place::InFlight(now_ms + visibility_ms));
        }
        self.counts.received += numbers.len() as u64;
        Ok(Received { numbers, dead })
    }

    /// Ends a message's life. One that is gone, or was received again since, is left alone, and that is no error.
    pub(super) fn delete(&mut self, handle: &str, now_ms: i64) -> Result<(), AwsError> {
        self.catch_up(now_ms);
        let receipt = self.receipt(handle)?;
        if let Some(message) = self.messages.get(&receipt.number) {
            let current = message.received == receipt.received;
            if self.settings.fifo && !(current && matches!(message.place, Place::InFlight(_))) {
                return Err(bad_value(handle, "ReceiptHandle", "The receipt handle has expired."));
            }
            if current {
                self.remove(receipt.number);
                // The next of its group may be waiting.
                self.changed.notify_waiters();
            }
        }
        self.counts.deleted += 1;
        Ok(())
    }

    /// Hides a message that is in flight for `seconds` from now; 0 shows it.
    pub(super) fn change_visibility(&mut self, handle: &str, seconds: i64, now_ms: i64) -> Result<(), AwsError> {
        if !(0..=MAX_VISIBILITY_S).contains(&seconds) {
            return Err(bad_value(seconds, "VisibilityTimeout", "Must be between 0 and 43200."));
        }
        self.catch_up(now_ms);
        let receipt = self.receipt(handle)?;
        let Some(message) = self.messages.get(&receipt.number).filter(|message| message.received == receipt.received)
        else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(bad_value(handle, "ReceiptHandle", reason));
        };
        if !matches!(message.place, Place::InFlight(_)) {
            return Err(AwsError::client("MessageNotInflight", "The specified message isn't in flight."));
        }
        let until_ms = now_ms + seconds * 1000;
        if until_ms > message.last_received_ms + MAX_VISIBILITY_S * 1000 {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
            return Err(bad_value(seconds, "VisibilityTimeout", reason));
        }
        self.move_to(receipt.number, if seconds == 0 { Place::Visible } else { Place::InFlight(until_ms) });
        self.changed.notify_waiters();
        Ok(())
    }

    /// Ends the life of every message.
    pub(super) fn purge(&mut self, now_ms: i64) {
        for number in self.messages.keys().copied().collect::<Vec<_>>() {
            self.remove(number);
        }
        self.purged_ms = Some(now_ms);
    }

    /// Shows what is due and forgets what has outlived its retention.
    pub(super) fn catch_up(&mut self, now_ms: i64) {
        while let Some((_, number)) = self.hidden.first().copied().filter(|(until_ms, _)| *until_ms <= now_ms) {
            self.move_to(number, Place::Visible);
        }
        let oldest_ms = now_ms - self.settings.retention_s * 1000;
        while let Some((_, number)) = self.ages.first().copied().filter(|(base_ms, _)| *base_ms <= oldest_ms) {
            self.remove(number);
        }
    }

    fn receipt(&self, handle: &str) -> Result<Receipt, AwsError> {
        let ours = |receipt: &Receipt| receipt.queue == self.secret && receipt.number < self.next;
        Receipt::read(handle).filter(ours).ok_or_else(|| bad_receipt(handle))
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        self.move_to(number, Place::Visible);
        let message = self.messages.remove(&number)?;
        self.visible.remove(&number);
        self.ages.remove(&(self.age_base(&message), number));
        self.bytes -= message.weight();
        Some(message)
    }

    fn move_to(&mut self, number: u64, place: Place) {
        let Some(message) = self.messages.get_mut(&number) else { return };
        let group = message.draft.group.as_deref().filter(|_| self.settings.fifo);
        match message.place.until_ms() {
            Some(until_ms) => {
                self.hidden.remove(&(until_ms, number));
                group.inspect(|group| self.groups.show(group));
            }
            None => {
                self.visible.remove(&number);
            }
        }
        match place.until_ms() {
            Some(until_ms) => {
                self.hidden.insert((until_ms, number));
                group.inspect(|group| self.groups.hide(group));
            }
            None => {
                self.visible.insert(number);
            }
        }
        self.in_flight -= usize::from(matches!(message.place, Place::InFlight(_)));
        self.in_flight += usize::from(matches!(place, Place::InFlight(_)));
        message.place = place;
    }

    pub(super) fn message(&self, number: u64) -> Option<&Message> {
        self.messages.get(&number)
    }

    /// The handle of a message as it was received last.
    pub(super) fn handle(&self, number: u64, message: &Message) -> String {
        Receipt { queue: self.secret, number, received: message.received }.handle()
    }

    pub(super) fn sequence(&self, number: u64) -> Option<String> {
        self.settings.fifo.then(|| (FIRST_SEQUENCE + number).to_string())
    }

    /// When the next hidden message becomes visible.
    pub(super) fn next_due_ms(&self) -> Option<i64> {
        self.hidden.first().map(|(until_ms, _)| *until_ms)
    }

    /// Messages that are visible, in flight, delayed.
    pub(super) fn depths(&self) -> [usize; 3] {
        [self.visible.len(), self.in_flight, self.hidden.len() - self.in_flight]
    }

    /// When the oldest message arrived. A standard queue leaves out those that were received three times or more: one that
    /// nobody can handle would hide the rest ("Available CloudWatch metrics for Amazon SQS", Developer Guide).
    pub(super) fn oldest_ms(&self) -> Option<i64> {
        let counts = |message: &&Message| self.settings.fifo || message.received < 3;
        self.messages.values().find(counts).map(|message| message.arrived_ms)
    }
}

#[cfg(test)]
mod tests;
