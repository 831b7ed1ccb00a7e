//! What changes alarms: both kinds' settings, states, actions on and off, deletion.

use serde_json::Value as Json;
use twin_platform::AwsError;

use super::{Answer, Context, nothing, tags};
use crate::{
    alarm::{
        Actions, Alarm, Kind, State, Status,
        rule::{self, alarm_name},
    },
    input::{none_of, validation, violated},
};

/// Actions for one state ("PutMetricAlarm").
const MOST_ACTIONS: usize = 5;
/// Alarms in one call ("DeleteAlarms", "EnableAlarmActions").
const MOST_NAMES: usize = 100;
/// Alarms of an account and region ("CloudWatch service quotas").
const MOST_ALARMS: usize = 5000;

pub(super) fn put_composite(context: &Context<'_>) -> Answer {
    let text = context.input.required_text("AlarmRule")?;
    let rule =
        rule::parse(text).map_err(|error| validation(format!("AlarmRule must be a valid expression: {error}")))?;
    {
        let book = context.cloudwatch.alarms();
        let own = context.input.text("AlarmName")?;
        let names = rule.alarms();
        let gone: Vec<&str> =
            names.into_iter().filter(|name| !book.alarms.contains_key(*name) && Some(*name) != own).collect();
        if !gone.is_empty() {
            let what = format!(
                "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
                gone.join(", ")
            );
            return Err(validation(what));
        }
    }
    put(context, Kind::Composite { text: text.to_owned(), rule })?;
    nothing()
}

/// Creates or replaces an alarm; the state of one that is there stays.
pub(super) fn put(context: &Context<'_>, kind: Kind) -> Result<(), AwsError> {
    let input = &context.input;
    let name = name(context)?;
    let actions = Actions {
        ok: arns(context, "OKActions")?,
        alarm: arns(context, "AlarmActions")?,
        insufficient_data: arns(context, "InsufficientDataActions")?,
    };
    let description = input.text("AlarmDescription")?;
    if description.is_some_and(|description| description.chars().count() > 1024) {
        return Err(violated("alarmDescription", "given", "have length less than or equal to 1024"));
    }
    let actions_enabled = input.boolean("ActionsEnabled")?.unwrap_or(true);
    let tags = tags::read(context)?;
    let now_ms = context.now_ms;
    let mut book = context.cloudwatch.alarms();
    let known = book.alarms.remove(name);
    let composite = matches!(kind, Kind::Composite { .. });
    if let Some(known) = known.as_ref().filter(|known| known.is_composite() != composite) {
        let error = validation(format!("An alarm named {name} of another type ({}) exists", known.type_name()));
        book.alarms.insert(name.to_owned(), known.clone());
        return Err(error);
    }
    if known.is_none() && book.alarms.len() >= MOST_ALARMS {
        return Err(AwsError::client("LimitExceeded", format!("The limit of {MOST_ALARMS} alarms is reached")));
    }
    let change = if known.is_some() { "Update" } else { "Create" };
    let (status, tags) = match known {
        // Tags of an update are ignored ("PutMetricAlarm", Tags).
        Some(known) => (known.status, known.tags),
        None => (initial(now_ms), tags),
    };
    let alarm = Alarm {
        name: name.to_owned(),
        arn: context.cloudwatch.account.arn("cloudwatch", &format!("alarm:{name}")),
        description: description.map(str::to_owned),
        actions_enabled,
        actions,
        kind,
        status,
        configured_ms: now_ms,
        tags,
        due_ms: 0,
    };
    book.put(alarm, change);
    Ok(())
}

fn initial(now_ms: i64) -> Status {
    Status {
        state: State::InsufficientData,
        reason: "Unchecked: Initial alarm creation".to_owned(),
        reason_data: None,
        updated_ms: now_ms,
        transitioned_ms: now_ms,
    }
}

fn name<'a>(context: &Context<'a>) -> Result<&'a str, AwsError> {
    let name = context.input.text("AlarmName")?.unwrap_or_default();
    if name.is_empty() || name.chars().count() > 255 || name.chars().any(|c| c.is_ascii_control()) {
        let constraint = "have a length of 1 to 255 and no control characters";
        return Err(violated("alarmName", &format!("'{name}'"), constraint));
    }
    Ok(name)
}

fn arns(context: &Context<'_>, member: &str) -> Result<Vec<String>, AwsError> {
    let arns = context.input.texts(member)?;
    if arns.len() > MOST_ACTIONS {
        return Err(validation(format!("The collection {member} must not have a size greater than {MOST_ACTIONS}.")));
    }
    if let Some(wrong) =
        arns.iter().find(|arn| !arn.starts_with("arn:") || arn.split(':').count() < 6 || arn.len() > 1024)
    {
        return Err(validation(format!("Invalid arn syntax: {wrong}")));
    }
    Ok(arns.into_iter().map(str::to_owned).collect())
}

fn names<'a>(context: &Context<'a>) -> Result<Vec<&'a str>, AwsError> {
    let names = context.input.texts("AlarmNames")?;
    if names.len() > MOST_NAMES {
        return Err(validation(format!("The collection AlarmNames must not have a size greater than {MOST_NAMES}.")));
    }
    Ok(names)
}

/// The state that the API calls by this name.
pub(super) fn state_named(name: &str) -> Result<State, AwsError> {
    let unknown = || none_of("stateValue", name, &["INSUFFICIENT_DATA", "ALARM", "OK"]);
    State::named(name).ok_or_else(unknown)
}

pub(super) fn set_state(context: &Context<'_>) -> Answer {
    let input = &context.input;
    let name = alarm_name(input.required_text("AlarmName")?);
    let state = state_named(input.required_text("StateValue")?)?;
    let reason = input.text("StateReason")?;
    let fits = reason.filter(|reason| reason.chars().count() <= 1023);
    let reason = fits.ok_or_else(|| violated("stateReason", "given", "have length less than or equal to 1023"))?;
    let data = input.text("StateReasonData")?;
    if data.is_some_and(|data| serde_json::from_str::<Json>(data).is_err()) {
        return Err(AwsError::client("InvalidFormat", "StateReasonData was not syntactically valid JSON"));
    }
    let account = &context.cloudwatch.account;
    let mut book = context.cloudwatch.alarms();
    if !book.alarms.contains_key(name) {
        return Err(AwsError {
            status: 404,
            ..AwsError::client("ResourceNotFound", format!("Alarm {name} does not exist"))
        });
    }
    book.set(name, state, reason.to_owned(), data.map(str::to_owned), account, context.now_ms);
    nothing()
}

pub(super) fn enable_actions(context: &Context<'_>) -> Answer {
    switch_actions(context, true)
}

pub(super) fn disable_actions(context: &Context<'_>) -> Answer {
    switch_actions(context, false)
}

/// Names that do not exist are passed over, as in AWS.
fn switch_actions(context: &Context<'_>, enabled: bool) -> Answer {
    let names = names(context)?;
    let mut book = context.cloudwatch.alarms();
    let book = &mut *book;
    for name in names {
        if let Some(alarm) = book.alarms.get_mut(alarm_name(name)).filter(|alarm| alarm.actions_enabled != enabled) {
            alarm.actions_enabled = enabled;
            alarm.configured_ms = context.now_ms;
            book.history.configured(alarm, "Update", context.now_ms);
        }
    }
    nothing()
}

/// Names that do not exist are passed over; an alarm that a composite alarm needs refuses the whole call.
pub(super) fn delete(context: &Context<'_>) -> Answer {
    let names: Vec<&str> = names(context)?.into_iter().map(alarm_name).collect();
    if names.is_empty() {
        return Err(AwsError::client("MissingParameter", "The parameter AlarmNames is required."));
    }
    let mut book = context.cloudwatch.alarms();
    let composites = names.iter().filter(|name| book.alarms.get(**name).is_some_and(Alarm::is_composite));
    if composites.count() > 1 {
        return Err(validation("Only one composite alarm can be deleted in one call"));
    }
    let needed = |name: &&str| {
        book.parents(name).iter().any(|parent| !names.contains(&parent.name.as_str()) || parent.name == **name)
    };
    if let Some(name) = names.iter().copied().find(needed) {
        return Err(validation(format!("Cannot delete {name} as there are composite alarm(s) depending on it.")));
    }
    for name in names {
        if let Some(alarm) = book.alarms.remove(name) {
            book.history.configured(&alarm, "Delete", context.now_ms);
        }
    }
    nothing()
}
