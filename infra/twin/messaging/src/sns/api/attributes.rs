//! Attributes of topics and of subscriptions.

use serde_json::{Value, json};
use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{attributes_xml, required};
use crate::{
    now_ms,
    sns::{
        Sns,
        courier::POLICY,
        error::{invalid, refused},
        filter::Filter,
        state::{Subscription, Topic, Way},
    },
};

/// Shows a topic.
pub(super) fn of_topic(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = required(call, "TopicArn")?;
    let mut state = sns.state();
    state.forget_unconfirmed(now_ms());
    let confirmed = state.subscribers(arn).count();
    let pending = state.of(arn).count() - confirmed;
    let topic = state.topic(arn)?;
    let policy = topic.policy.clone().unwrap_or_else(|| default_policy(arn, &sns.account.id));
    Ok(attributes_xml([
        ("TopicArn", arn.to_owned()),
        ("Owner", sns.account.id.clone()),
        ("DisplayName", topic.display_name.clone()),
        ("Policy", policy),
        ("SubscriptionsConfirmed", confirmed.to_string()),
        ("SubscriptionsPending", pending.to_string()),
        ("SubscriptionsDeleted", topic.deleted.to_string()),
        ("EffectiveDeliveryPolicy", POLICY.to_owned()),
    ]))
}

/// The policy that AWS gives a new topic: its owner may do everything.
fn default_policy(arn: &str, owner: &str) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
            ],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
        }],
    })
    .to_string()
}

/// Sets one attribute of a topic.
pub(super) fn set_on_topic(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let name = required(call, "AttributeName")?;
    let mut state = sns.state();
    let topic = state.topic(required(call, "TopicArn")?)?;
    set(topic, name, call.get("AttributeValue").unwrap_or_default())?;
    Ok(Xml::new())
}

/// Sets one attribute of a topic; what would be kept without acting is refused by name.
pub(super) fn set(topic: &mut Topic, name: &str, value: &str) -> Result<(), AwsError> {
    match name {
        "DisplayName" if value.chars().count() > 100 => return Err(invalid("DisplayName")),
        "DisplayName" => topic.display_name = value.to_owned(),
        "Policy" if value.is_empty() => topic.policy = None,
        "Policy" => match serde_json::from_str::<Value>(value) {
            Ok(Value::Object(_)) => topic.policy = Some(value.to_owned()),
            _ => return Err(invalid("Policy Error: null")),
        },
        "FifoTopic" if value.eq_ignore_ascii_case("false") => {}
        "TracingConfig" if value == "PassThrough" => {}
        "KmsMasterKeyId" | "DeliveryPolicy" | "ArchivePolicy" if value.is_empty() => {}
        known if is_topic_attribute(known) => return Err(refused(format!("the topic attribute {known}"))),
        _ => return Err(invalid("AttributeName")),
    }
    Ok(())
}

fn is_topic_attribute(name: &str) -> bool {
    let feedback = name.ends_with("FeedbackRoleArn") || name.ends_with("FeedbackSampleRate");
    let others = ["KmsMasterKeyId", "DeliveryPolicy", "SignatureVersion", "TracingConfig", "ArchivePolicy"];
    let fifo = ["FifoTopic", "ContentBasedDeduplication", "FifoThroughputScope"];
    feedback || others.contains(&name) || fifo.contains(&name)
}

/// Shows a subscription.
pub(super) fn of_subscription(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = required(call, "SubscriptionArn")?;
    let mut state = sns.state();
    let subscription = state.subscription(arn)?;
    let mut shown = vec![
        ("SubscriptionArn", subscription.arn.clone()),
        ("TopicArn", subscription.topic_arn.clone()),
        ("Owner", sns.account.id.clone()),
        ("Protocol", subscription.way.protocol().to_owned()),
        ("Endpoint", subscription.endpoint.clone()),
        ("PendingConfirmation", subscription.pending.is_some().to_string()),
        // Signatures are not verified: only what SNS confirms itself is sure.
        ("ConfirmationWasAuthenticated", matches!(subscription.way, Way::Queue).to_string()),
        ("RawMessageDelivery", subscription.raw.to_string()),
    ];
    if let Some(filter) = &subscription.filter {
        shown.push(("FilterPolicy", filter.text.clone()));
        shown.push(("FilterPolicyScope", "MessageAttributes".to_owned()));
    }
    Ok(attributes_xml(shown))
}

/// Sets one attribute of a subscription.
pub(super) fn set_on_subscription(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let name = required(call, "AttributeName")?;
    let mut state = sns.state();
    let subscription = state.subscription(required(call, "SubscriptionArn")?)?;
    let mut settings = Settings { raw: subscription.raw, filter: None };
    settings.set(name, call.get("AttributeValue").unwrap_or_default())?;
    settings.apply(subscription, name == "FilterPolicy");
    Ok(Xml::new())
}

/// What can be set on a subscription.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) raw: bool,
    pub(super) filter: Option<Filter>,
}

impl Settings {
    /// Sets one attribute.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), AwsError> {
        match name {
            "RawMessageDelivery" => {
                let flag = value.to_ascii_lowercase().parse();
                self.raw = flag.map_err(|_| {
                    invalid(format!(
                        "Attributes Reason: RawMessageDelivery: Invalid value [{value}]. Must be true or false."
                    ))
                })?;
            }
            // AWS takes an empty object as no policy, and an empty text to take one away.
            "FilterPolicy" if matches!(value, "" | "{}") => self.filter = None,
            "FilterPolicy" => self.filter = Some(Filter::parse(value)?),
            "FilterPolicyScope" if value == "MessageAttributes" => {}
            "FilterPolicyScope" | "DeliveryPolicy" | "RedrivePolicy" | "SubscriptionRoleArn" | "ReplayPolicy" => {
                return Err(refused(format!("the subscription attribute {name}={value}")));
            }
            _ => return Err(invalid("AttributeName")),
        }
        Ok(())
    }

    /// Gives them to a subscription.
    pub(super) fn apply(self, subscription: &mut Subscription, with_filter: bool) {
        subscription.raw = self.raw;
        if with_filter {
            subscription.filter = self.filter;
        }
    }
}
