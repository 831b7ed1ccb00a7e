//! Topics.

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{attributes, map, page, required, tags};
use crate::sns::{
    Sns,
    error::{invalid, refused},
    state::Topic,
};

/// Makes a topic, or finds the one of that name.
pub(super) fn create(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let name = required(call, "Name")?;
    let wanted = map(call, "Attributes");
    if name.ends_with(".fifo") || wanted.get("FifoTopic").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(refused("CreateTopic of a FIFO topic"));
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.len() > 256 || !name.bytes().all(letters) {
        return Err(invalid("Topic Name"));
    }
    let new_tags = tags::read(call)?;
    let arn = sns.account.arn("sns", name);
    let mut state = sns.state();
    if let Some(topic) = state.topics.get(&arn) {
        // Asking for what is there is no error.
        let differ =
            |what: &str| invalid(format!("{what} Reason: Topic already exists with different {}", what.to_lowercase()));
        let mut changed =
            Topic { display_name: topic.display_name.clone(), policy: topic.policy.clone(), ..Topic::default() };
        for (attribute, value) in &wanted {
            attributes::set(&mut changed, attribute, value)?;
        }
        if (&changed.display_name, &changed.policy) != (&topic.display_name, &topic.policy) {
            return Err(differ("Attributes"));
        }
        if call.has("Tags") && new_tags != topic.tags {
            return Err(differ("Tags"));
        }
    } else {
        let mut topic = Topic { tags: new_tags, ..Topic::default() };
        for (attribute, value) in &wanted {
            attributes::set(&mut topic, attribute, value)?;
        }
        state.topics.insert(arn.clone(), topic);
    }
    let mut xml = Xml::new();
    xml.text("TopicArn", arn);
    Ok(xml)
}

/// Takes a topic away with its subscriptions. One that is not there is no error.
pub(super) fn delete(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = required(call, "TopicArn")?;
    let mut state = sns.state();
    state.topics.remove(arn);
    state.subscriptions.retain(|_, subscription| subscription.topic_arn != arn);
    Ok(Xml::new())
}

/// Lists topics.
pub(super) fn list(sns: &Sns, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = sns.state();
    let (topics, next) = page(call, state.topics.keys().map(|arn| (arn.as_str(), ())));
    let mut xml = Xml::new();
    xml.list("Topics", topics, |xml, (arn, ())| {
        xml.text("TopicArn", arn);
    });
    xml.maybe("NextToken", next);
    Ok(xml)
}
