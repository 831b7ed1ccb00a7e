//! Amazon SNS: standard topics that deliver to SQS queues and to HTTP endpoints.
//!
//! Promises: `Publish` answers at once and never waits for a subscriber. A queue has the message before the answer; an HTTP
//! endpoint gets it on a background task, first try at once, then as AWS's default policy has it: three more tries, 20 s apart
//! (divided by the speed), each cut off after 15 s (not divided). An HTTP endpoint gets nothing but `SubscriptionConfirmation`
//! until it is confirmed. Filter policies on message attributes act; raw delivery, message structure and subjects are AWS's.
//!
//! An HTTPS endpoint must show a certificate that this machine trusts (mkcert installs an authority for loopback).
//!
//! Refuses, by name: HTTP(S) endpoints that are not on loopback, e-mail, SMS, Lambda and the like, FIFO topics, filter
//! policies on the body, custom delivery policies, dead-letter queues of subscriptions, encryption, delivery status logging.
//!
//! Known differences: nothing is signed, so messages carry no `SignatureVersion`, `Signature` and `SigningCertURL`, and a program
//! that verifies them refuses them; `UnsubscribeConfirmation` is not sent; access policies are kept and shown, not evaluated;
//! tries have no jitter; a message that the last try does not deliver is dropped, with a line in the log.

mod api;
mod courier;
mod envelope;
mod error;
mod filter;
mod message;
mod state;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use twin_platform::{
    Account, AwsError, Request, Response, Service, Speed,
    seam::{AlarmActions, AlarmNotification},
};

use self::{
    courier::Courier,
    message::{MAX_SUBJECT, Publication},
    state::{State, Subscription, Way},
};
use crate::{Sqs, now_ms, sqs::Draft};

pub use self::courier::BACKLOG_BYTES;

/// The service. Calls need a tokio runtime around them.
pub struct Sns {
    account: Account,
    endpoint: String,
    queues: Arc<Sqs>,
    courier: Courier,
    state: Mutex<State>,
}

impl Sns {
    /// The service without topics. `speed` divides the pause between two tries of a delivery. `endpoint` is how subscribers reach
    /// it, e.g. `http://127.0.0.1:4566`; the URLs to confirm and to unsubscribe start with it.
    pub fn new(account: Account, speed: Speed, endpoint: impl Into<String>, queues: Arc<Sqs>) -> Arc<Self> {
        let endpoint = endpoint.into().trim_end_matches('/').to_owned();
        let courier = Courier::new(speed.wait(courier::PAUSE.as_secs_f64()));
        Arc::new(Self { account, endpoint, queues, courier, state: Mutex::default() })
    }

    /// Sends a valid message to everybody who wants it, and says under which id.
    fn publish(&self, topic_arn: &str, publication: &Publication) -> Result<String, AwsError> {
        let (id, now_ms) = (uuid::Uuid::new_v4().to_string(), now_ms());
        let mut state = self.state();
        state.forget_unconfirmed(now_ms);
        state.topic(topic_arn)?;
        for subscription in state.subscribers(topic_arn) {
            let wanted = |filter: &filter::Filter| filter.lets_through(&publication.attributes);
            if subscription.filter.as_ref().is_none_or(wanted) {
                self.hand_over(subscription, publication, &id, now_ms);
            }
        }
        Ok(id)
    }

    fn hand_over(&self, subscription: &Subscription, publication: &Publication, id: &str, now_ms: i64) {
        let text = publication.text_for(subscription.way.protocol());
        let body = match subscription.raw {
            true => text.to_owned(),
            false => envelope::notification(&self.endpoint, subscription, publication, id, now_ms),
        };
        match &subscription.way {
            Way::Queue => {
                let attributes = if subscription.raw { publication.attributes.clone() } else { Default::default() };
                let draft = Draft { body, attributes, ..Draft::default() };
                if let Err(error) = self.queues.deliver(&subscription.endpoint, draft) {
                    // To AWS this is a client-side error too: it is not tried again.
                    tracing::warn!(%error, subscription = subscription.arn, id, "a message to a queue was dropped");
                }
            }
            Way::Http(outbox) => outbox.post(envelope::parcel("Notification", subscription, id, body)),
        }
    }

    /// Asks an HTTP endpoint to confirm.
    fn ask(&self, subscription: &Subscription) {
        if let (Way::Http(outbox), Some(pending)) = (&subscription.way, &subscription.pending) {
            let id = uuid::Uuid::new_v4().to_string();
            let body = envelope::confirmation(&self.endpoint, subscription, &pending.token, &id, now_ms());
            outbox.post(envelope::parcel("SubscriptionConfirmation", subscription, &id, body));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding it leaves whole topics and subscriptions, so the state stays usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Sns {
    fn service_name(&self) -> &str {
        "sns"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://sns\..*\.amazonaws\.com", r"https?://sns\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move { api::call(self, &request).unwrap_or_else(|error| error.xml()) })
    }
}

#[async_trait]
impl AlarmActions for Sns {
    /// Publishes to the topic of that ARN. A subject that is too long for SNS is cut; a missing topic is `NotFound`.
    async fn run(&self, action_arn: &str, notification: &AlarmNotification) -> Result<(), AwsError> {
        let subject = notification.subject.chars().filter(|next| !next.is_control()).take(MAX_SUBJECT).collect();
        let publication = Publication::new(Some(subject), notification.message.clone(), None, Default::default())?;
        self.publish(action_arn, &publication).map(|_id| ())
    }
}
