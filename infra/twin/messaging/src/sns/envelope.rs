//! The JSON that subscribers get, and the headers around it ("Parsing Amazon SNS message formats", Developer Guide).
//!
//! Left out on purpose: `SignatureVersion`, `Signature`, `SigningCertURL`. There is no certificate of AWS's here to sign with.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use time::{OffsetDateTime, macros::format_description};

use super::{courier::Parcel, message::Publication, state::Subscription};

/// In the URLs that subscribers open. AWS's have no version; here it tells the service of an unsigned call.
const VERSION: &str = "2010-03-31";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Notification<'a> {
    r#type: &'static str,
    message_id: &'a str,
    topic_arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    message: &'a str,
    timestamp: String,
    #[serde(rename = "UnsubscribeURL")]
    unsubscribe_url: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<&'a str, Attribute<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute<'a> {
    r#type: &'a str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Confirmation<'a> {
    r#type: &'static str,
    message_id: &'a str,
    token: &'a str,
    topic_arn: &'a str,
    message: String,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: String,
    timestamp: String,
}

/// The body of a notification.
pub(super) fn notification(
    endpoint: &str,
    subscription: &Subscription,
    publication: &Publication,
    id: &str,
    now_ms: i64,
) -> String {
    let attributes = publication.attributes.iter().map(|(name, attribute)| {
        (name.as_str(), Attribute { r#type: &attribute.data_type, value: attribute.value.written() })
    });
    let arn = &subscription.arn;
    written(&Notification {
        r#type: "Notification",
        message_id: id,
        topic_arn: &subscription.topic_arn,
        subject: publication.subject.as_deref(),
        message: publication.text_for(subscription.way.protocol()),
        timestamp: timestamp(now_ms),
        unsubscribe_url: format!("{endpoint}/?Action=Unsubscribe&SubscriptionArn={arn}&Version={VERSION}"),
        message_attributes: attributes.collect(),
    })
}

/// The body of a request to confirm.
pub(super) fn confirmation(endpoint: &str, subscription: &Subscription, token: &str, id: &str, now_ms: i64) -> String {
    let topic_arn = &subscription.topic_arn;
    written(&Confirmation {
        r#type: "SubscriptionConfirmation",
        message_id: id,
        token,
        topic_arn,
        message: format!(
            "You have chosen to subscribe to the topic {topic_arn}.\nTo confirm the subscription, visit the SubscribeURL \
             included in this message."
        ),
        subscribe_url: format!(
            "{endpoint}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}&Version={VERSION}"
        ),
        timestamp: timestamp(now_ms),
    })
}

/// A body with the headers that it travels under.
pub(super) fn parcel(kind: &'static str, subscription: &Subscription, id: &str, body: String) -> Parcel {
    let mut headers = HeaderMap::new();
    let raw = subscription.raw && kind == "Notification";
    for (name, value) in [
        ("content-type", "text/plain; charset=UTF-8"),
        ("user-agent", "Amazon Simple Notification Service Agent"),
        ("x-amz-sns-message-type", kind),
        ("x-amz-sns-message-id", id),
        ("x-amz-sns-topic-arn", &subscription.topic_arn),
        ("x-amz-sns-subscription-arn", &subscription.arn),
        ("x-amz-sns-rawdelivery", if raw { "true" } else { "" }),
    ] {
        // Names and ARNs are ASCII; what is not there has no header.
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Parcel { headers, body: body.into(), id: id.to_owned() }
}

fn written(body: &impl Serialize) -> String {
    // Texts in maps of texts: nothing here can fail to be written.
    serde_json::to_string_pretty(body).unwrap_or_default()
}

/// `2012-05-02T00:54:06.655Z`.
fn timestamp(now_ms: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(now_ms) * 1_000_000);
    moment.ok().and_then(|moment| moment.format(&format).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn timestamps_have_milliseconds() {
        assert_eq!(timestamp(1_335_920_046_655), "2012-05-02T00:54:06.655Z");
    }
}
