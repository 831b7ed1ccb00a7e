//! Topics and subscriptions.

use std::collections::BTreeMap;

use twin_platform::AwsError;

use super::{
    courier::Outbox,
    error::{invalid, no_subscription, no_topic},
    filter::Filter,
};

/// A subscription that nobody confirms is forgotten after this time, in milliseconds ("Confirm an Amazon SNS subscription":
/// a token is valid for two days).
const PENDING_MS: i64 = 2 * 24 * 60 * 60 * 1000;

/// All of it, by ARN.
#[derive(Default)]
pub(super) struct State {
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
}

/// A topic.
#[derive(Default)]
pub(super) struct Topic {
    pub(super) display_name: String,
    pub(super) policy: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// How many subscriptions were taken away.
    pub(super) deleted: usize,
}

/// Who gets what is published to a topic.
pub(super) struct Subscription {
    pub(super) arn: String,
    pub(super) topic_arn: String,
    pub(super) endpoint: String,
    pub(super) way: Way,
    pub(super) raw: bool,
    pub(super) filter: Option<Filter>,
    pub(super) pending: Option<Pending>,
    /// The token it was confirmed with: confirming twice is no error.
    pub(super) token: Option<String>,
}

/// How messages get there.
pub(super) enum Way {
    Queue,
    Http(Box<Outbox>),
}

/// Not confirmed yet.
pub(super) struct Pending {
    pub(super) token: String,
    pub(super) since_ms: i64,
}

impl Way {
    pub(super) fn protocol(&self) -> &'static str {
        match self {
            Self::Queue => "sqs",
            Self::Http(outbox) => outbox.protocol(),
        }
    }
}

impl State {
    pub(super) fn topic(&mut self, arn: &str) -> Result<&mut Topic, AwsError> {
        if !arn.starts_with("arn:") || arn.split(':').count() != 6 {
            return Err(invalid("TopicArn"));
        }
        self.topics.get_mut(arn).ok_or_else(no_topic)
    }

    pub(super) fn subscription(&mut self, arn: &str) -> Result<&mut Subscription, AwsError> {
        let parts = arn.split(':').count();
        if parts < 6 {
            let reason = format!("An ARN must have at least 6 elements, not {parts}");
            return Err(invalid(format!("SubscriptionArn Reason: {reason}")));
        }
        self.subscriptions.get_mut(arn).ok_or_else(no_subscription)
    }

    /// The confirmed subscriptions of a topic.
    pub(super) fn subscribers<'a>(&'a self, topic_arn: &'a str) -> impl Iterator<Item = &'a Subscription> {
        self.of(topic_arn).filter(|subscription| subscription.pending.is_none())
    }

    /// All subscriptions of a topic.
    pub(super) fn of<'a>(&'a self, topic_arn: &'a str) -> impl Iterator<Item = &'a Subscription> {
        self.subscriptions.values().filter(move |subscription| subscription.topic_arn == topic_arn)
    }

    pub(super) fn forget_unconfirmed(&mut self, now_ms: i64) {
        let waits = |pending: &Pending| now_ms < pending.since_ms + PENDING_MS;
        self.subscriptions.retain(|_, subscription| subscription.pending.as_ref().is_none_or(waits));
    }
}
