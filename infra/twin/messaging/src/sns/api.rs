//! The API: every action that is imitated, on one screen, with the parameters it understands. Query protocol.

mod attributes;
mod publish;
mod subscribe;
mod subscriptions;
mod tags;
mod topics;

use std::{collections::BTreeMap, fmt::Display};

use twin_platform::{
    AwsError, Request, Response,
    query::{Params, Scope},
    xml::Xml,
};

use super::{
    Sns,
    error::{invalid, refused},
};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
/// "Each call returns a limited list, up to 100."
const PAGE: usize = 100;

type Handler = fn(&Sns, &Scope<'_>) -> Result<Xml, AwsError>;

/// Name, parameters (any other is refused by name, never ignored), and who answers.
const ACTIONS: &[(&str, &[&str], Handler)] = &[
    ("ConfirmSubscription", &["TopicArn", "Token"], subscribe::confirm),
    ("CreateTopic", &["Name", "Attributes", "Tags"], topics::create),
    ("DeleteTopic", &["TopicArn"], topics::delete),
    ("GetSubscriptionAttributes", &["SubscriptionArn"], attributes::of_subscription),
    ("GetTopicAttributes", &["TopicArn"], attributes::of_topic),
    ("ListSubscriptions", &["NextToken"], subscriptions::list),
    ("ListSubscriptionsByTopic", &["TopicArn", "NextToken"], subscriptions::list_by_topic),
    ("ListTagsForResource", &["ResourceArn"], tags::list),
    ("ListTopics", &["NextToken"], topics::list),
    (
        "Publish",
        &["TopicArn", "TargetArn", "Message", "Subject", "MessageStructure", "MessageAttributes"],
        publish::publish,
    ),
    ("PublishBatch", &["TopicArn", "PublishBatchRequestEntries"], publish::publish_batch),
    (
        "SetSubscriptionAttributes",
        &["SubscriptionArn", "AttributeName", "AttributeValue"],
        attributes::set_on_subscription,
    ),
    ("SetTopicAttributes", &["TopicArn", "AttributeName", "AttributeValue"], attributes::set_on_topic),
    ("Subscribe", &["TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn"], subscribe::subscribe),
    ("TagResource", &["ResourceArn", "Tags"], tags::tag),
    ("Unsubscribe", &["SubscriptionArn"], subscribe::unsubscribe),
    ("UntagResource", &["ResourceArn", "TagKeys"], tags::untag),
];

/// Answers one call.
pub(super) fn call(sns: &Sns, request: &Request) -> Result<Response, AwsError> {
    let params = Params::of(request);
    let call = params.root();
    let name = call.get("Action").ok_or_else(|| AwsError::client("MissingAction", "The request has no Action"))?;
    let Some((name, known, handler)) = ACTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(refused(name));
    };
    if let Some(unknown) = params.unknown(known) {
        return Err(refused(format!("{name} with {unknown}")));
    }
    Ok(handler(sns, &call)?.response(name, NAMESPACE))
}

/// A parameter that must be there.
fn required<'a>(call: &Scope<'a>, name: &str) -> Result<&'a str, AwsError> {
    call.get(name).filter(|value| !value.is_empty()).ok_or_else(|| invalid(name))
}

/// A map of texts, in the order of its keys.
fn map<'a>(call: &Scope<'a>, name: &str) -> BTreeMap<&'a str, &'a str> {
    let entries = call.entries(name);
    entries.iter().filter_map(|entry| Some((entry.get("key")?, entry.get("value").unwrap_or_default()))).collect()
}

/// The answer to a request for attributes.
fn attributes_xml<K: Display, V: Display>(attributes: impl IntoIterator<Item = (K, V)>) -> Xml {
    let mut xml = Xml::new();
    xml.element("Attributes", |xml| {
        for (key, value) in attributes {
            xml.element("entry", |xml| {
                xml.text("key", key).text("value", value);
            });
        }
    });
    xml
}

/// The page after `NextToken`, which is the last ARN of the page before.
fn page<'a, T>(call: &Scope<'_>, items: impl Iterator<Item = (&'a str, T)>) -> (Vec<(&'a str, T)>, Option<&'a str>) {
    let last = call.get("NextToken").unwrap_or_default().to_owned();
    let mut items: Vec<_> = items.filter(|(arn, _)| *arn > last.as_str()).take(PAGE + 1).collect();
    let more = items.len() > PAGE;
    items.truncate(PAGE);
    let next = items.last().map(|(arn, _)| *arn).filter(|_| more);
    (items, next)
}
