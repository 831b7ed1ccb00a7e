//! Subscribing, confirming, unsubscribing.

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{attributes::Settings, map, required};
use crate::{
    now_ms,
    sns::{
        Sns, courier,
        error::{invalid, refused},
        state::{Pending, Subscription, Way},
    },
};

/// What stands for the ARN of a subscription that is not confirmed.
pub(super) const PENDING: &str = "pending confirmation";

/// Protocols that AWS has and the twin has nothing behind.
const OTHER_PROTOCOLS: [&str; 6] = ["email", "email-json", "sms", "application", "lambda", "firehose"];

/// Subscribes a queue, which is confirmed at once, or an HTTP endpoint, which is asked to confirm.
pub(super) fn subscribe(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let topic_arn = required(call, "TopicArn")?;
    let protocol = required(call, "Protocol")?;
    let endpoint = required(call, "Endpoint")?;
    let show_arn = call.get("ReturnSubscriptionArn").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut settings = Settings::default();
    for (name, value) in map(call, "Attributes") {
        settings.set(name, value)?;
    }
    let mut state = sns.state();
    state.topic(topic_arn)?;
    state.forget_unconfirmed(now_ms());
    let same = |known: &&Subscription| known.endpoint == endpoint && known.way.protocol() == protocol;
    if let Some(known) = state.of(topic_arn).find(same) {
        let text = |filter: &Option<super::super::filter::Filter>| filter.as_ref().map(|filter| filter.text.clone());
        if call.has("Attributes") && (known.raw, text(&known.filter)) != (settings.raw, text(&settings.filter)) {
            return Err(invalid("Attributes Reason: Subscription already exists with different attributes"));
        }
        // One that is not confirmed yet is asked again.
        sns.ask(known);
        return Ok(arn_xml(known, show_arn));
    }
    let way = way(sns, protocol, endpoint)?;
    let waits = matches!(way, Way::Http(_));
    let token = || format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..));
    let subscription = Subscription {
        arn: format!("{topic_arn}:{}", uuid::Uuid::new_v4()),
        topic_arn: topic_arn.to_owned(),
        endpoint: endpoint.to_owned(),
        way,
        raw: settings.raw,
        filter: settings.filter,
        pending: waits.then(|| Pending { token: token(), since_ms: now_ms() }),
        token: None,
    };
    sns.ask(&subscription);
    let xml = arn_xml(&subscription, show_arn);
    state.subscriptions.insert(subscription.arn.clone(), subscription);
    Ok(xml)
}

fn arn_xml(subscription: &Subscription, show_arn: bool) -> Xml {
    let hidden = subscription.pending.is_some() && !show_arn;
    let mut xml = Xml::new();
    xml.text("SubscriptionArn", if hidden { PENDING } else { &subscription.arn });
    xml
}

fn way(sns: &Sns, protocol: &str, endpoint: &str) -> Result<Way, AwsError> {
    match protocol {
        "sqs" => queue(sns, endpoint).map(|()| Way::Queue),
        "http" | "https" => {
            let uri = courier::target(protocol, endpoint)?;
            sns.courier.outbox(uri).map(|outbox| Way::Http(Box::new(outbox)))
        }
        other if OTHER_PROTOCOLS.contains(&other) => Err(refused(format!("Subscribe with protocol {other}"))),
        other => Err(invalid(format!("Amazon SNS does not support this protocol string: {other}"))),
    }
}

/// The ARN of a queue of ours. As in AWS the queue need not be there yet.
fn queue(sns: &Sns, endpoint: &str) -> Result<(), AwsError> {
    let name =
        endpoint.strip_prefix(&sns.account.arn("sqs", "")).filter(|name| !name.is_empty() && !name.contains(':'));
    match name {
        Some(name) if name.ends_with(".fifo") => Err(invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        )),
        Some(_) => Ok(()),
        None if endpoint.starts_with("arn:aws:sqs:") => {
            Err(refused(format!("Subscribe with a queue of another account or region ({endpoint})")))
        }
        None => Err(invalid("SQS endpoint ARN")),
    }
}

/// Confirms by token; doing it twice is no error.
pub(super) fn confirm(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (topic_arn, token) = (required(call, "TopicArn")?, required(call, "Token")?);
    let mut state = sns.state();
    state.topic(topic_arn)?;
    state.forget_unconfirmed(now_ms());
    let fits = |subscription: &&mut Subscription| {
        let pending = subscription.pending.as_ref().is_some_and(|pending| pending.token == token);
        subscription.topic_arn == topic_arn && (pending || subscription.token.as_deref() == Some(token))
    };
    let subscription = state.subscriptions.values_mut().find(fits).ok_or_else(|| invalid("Invalid token"))?;
    if let Some(pending) = subscription.pending.take() {
        subscription.token = Some(pending.token);
    }
    Ok(arn_xml(subscription, true))
}

/// Ends a subscription. One that is not there is no error.
pub(super) fn unsubscribe(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = required(call, "SubscriptionArn")?;
    let mut state = sns.state();
    match state.subscription(arn) {
        Err(error) if error.status != 404 => return Err(error),
        _ => {}
    }
    if let Some(ended) = state.subscriptions.remove(arn) {
        state.topic(&ended.topic_arn)?.deleted += 1;
    }
    Ok(Xml::new())
}
