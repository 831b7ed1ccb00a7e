//! Lists of subscriptions.

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{page, required};
use crate::{
    now_ms,
    sns::{Sns, state::Subscription},
};

/// What the lists show as the ARN of a subscription that is not confirmed.
const PENDING: &str = "PendingConfirmation";

/// Lists all subscriptions.
pub(super) fn list(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let mut state = sns.state();
    state.forget_unconfirmed(now_ms());
    Ok(listed(sns, call, state.subscriptions.values()))
}

/// Lists the subscriptions of a topic.
pub(super) fn list_by_topic(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = required(call, "TopicArn")?;
    let mut state = sns.state();
    state.forget_unconfirmed(now_ms());
    state.topic(arn)?;
    Ok(listed(sns, call, state.of(arn)))
}

fn listed<'a>(sns: &Sns, call: &Scope<'_>, all: impl Iterator<Item = &'a Subscription>) -> Xml {
    let (members, next) = page(call, all.map(|subscription| (subscription.arn.as_str(), subscription)));
    let mut xml = Xml::new();
    xml.list("Subscriptions", members, |xml, (arn, subscription)| {
        xml.text("SubscriptionArn", if subscription.pending.is_some() { PENDING } else { arn })
            .text("Owner", &sns.account.id)
            .text("Protocol", subscription.way.protocol())
            .text("Endpoint", &subscription.endpoint)
            .text("TopicArn", &subscription.topic_arn);
    });
    xml.maybe("NextToken", next);
    xml
}
