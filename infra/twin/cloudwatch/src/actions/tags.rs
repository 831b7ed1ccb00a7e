//! Tags of alarms. Other resources of CloudWatch (insight rules, metric streams) are not imitated and so do not exist.

use std::collections::BTreeMap;

use twin_platform::AwsError;

use super::{Answer, Context, nothing};
use crate::{
    data_query::read::refuse_unknown,
    input::{invalid, validation},
    wire::Value,
};

/// Tags of one resource ("TagResource").
const MOST_TAGS: usize = 50;

/// `Tags` of the input.
pub(super) fn read(context: &Context<'_>) -> Result<BTreeMap<String, String>, AwsError> {
    let mut tags = BTreeMap::new();
    for tag in context.input.structures("Tags")? {
        refuse_unknown(&tag, &["Key", "Value"])?;
        let (key, value) = (tag.required_text("Key")?, tag.text("Value")?.unwrap_or_default());
        if key.chars().count() > 128 || key.starts_with("aws:") || value.chars().count() > 256 {
            return Err(invalid(format!(
                "The tag {key} is invalid: a key has at most 128 characters \
                 and does not start with aws:, a value has at most 256."
            )));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!("The tag {key} is given twice.")));
        }
    }
    if tags.len() > MOST_TAGS {
        return Err(validation(format!("The collection Tags must not have a size greater than {MOST_TAGS}.")));
    }
    Ok(tags)
}

fn with<T>(
    context: &Context<'_>,
    change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let arn = context.input.required_text("ResourceARN")?;
    let mut book = context.cloudwatch.alarms();
    let gone =
        || AwsError { status: 404, ..AwsError::client("ResourceNotFoundException", format!("{arn} does not exist")) };
    let alarm = book.alarms.values_mut().find(|alarm| alarm.arn == arn).ok_or_else(gone)?;
    change(&mut alarm.tags)
}

pub(super) fn tag(context: &Context<'_>) -> Answer {
    let more = read(context)?;
    with(context, |tags| {
        let mut all = tags.clone();
        all.extend(more);
        if all.len() > MOST_TAGS {
            return Err(validation(format!("A resource has at most {MOST_TAGS} tags")));
        }
        *tags = all;
        Ok(())
    })?;
    nothing()
}

pub(super) fn untag(context: &Context<'_>) -> Answer {
    let keys = context.input.texts("TagKeys")?;
    with(context, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    })?;
    nothing()
}

pub(super) fn list(context: &Context<'_>) -> Answer {
    let tags = with(context, |tags| Ok(tags.clone()))?;
    let tag = |(key, value): (&String, &String)| Value::map([("Key", key.into()), ("Value", value.into())]);
    Ok(Value::map([("Tags", Value::List(tags.iter().map(tag).collect()))]))
}
