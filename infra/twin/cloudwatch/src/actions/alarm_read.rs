//! DescribeAlarms and DescribeAlarmsForMetric.

use twin_platform::AwsError;

use super::{Answer, Context, alarm_write, page};
use crate::{
    alarm::{Alarm, Kind, Watched, rule::alarm_name},
    data_query::read::{read_metric, read_unit},
    input::{both, validation},
    wire::Value,
};

pub(super) fn describe(context: &Context<'_>) -> Answer {
    let input = &context.input;
    for relation in ["ChildrenOfAlarmName", "ParentsOfAlarmName"] {
        if let Some(name) = input.text(relation)? {
            return related(context, relation, alarm_name(name));
        }
    }
    let names = input.texts("AlarmNames")?;
    let prefix = input.text("AlarmNamePrefix")?;
    if !names.is_empty() && prefix.is_some() {
        return Err(both("AlarmNames", "AlarmNamePrefix"));
    }
    if names.len() > 100 {
        return Err(validation("The collection AlarmNames must not have a size greater than 100."));
    }
    let state = input.text("StateValue")?.map(alarm_write::state_named).transpose()?;
    let action = input.text("ActionPrefix")?;
    let types = input.texts("AlarmTypes")?;
    // Without AlarmTypes only metric alarms are returned ("DescribeAlarms").
    let of_type =
        |alarm: &Alarm| if types.is_empty() { !alarm.is_composite() } else { types.contains(&alarm.type_name()) };
    let book = context.cloudwatch.alarms();
    let alarms = book.alarms.values().filter(|alarm| {
        let lists = [&alarm.actions.ok, &alarm.actions.alarm, &alarm.actions.insufficient_data];
        of_type(alarm)
            && (names.is_empty() || names.iter().any(|name| alarm_name(name) == alarm.name))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| state == alarm.status.state)
            && action.is_none_or(|action| lists.into_iter().flatten().any(|arn| arn.starts_with(action)))
    });
    let (page, token) = page::cut(context, alarms, page::size(context)?)?;
    Ok(by_type(page.into_iter().map(|alarm| (alarm.is_composite(), alarm.to_value())), token))
}

fn by_type(alarms: impl Iterator<Item = (bool, Value)>, token: Option<String>) -> Value {
    let (composite, metric): (Vec<_>, Vec<_>) = alarms.partition(|(composite, _)| *composite);
    let values = |alarms: Vec<(bool, Value)>| Value::List(alarms.into_iter().map(|(_, alarm)| alarm).collect());
    Value::map([("CompositeAlarms", values(composite)), ("MetricAlarms", values(metric)), ("NextToken", token.into())])
}

/// Children have a name, an ARN, and their state; parents a name and an ARN.
fn related(context: &Context<'_>, relation: &str, name: &str) -> Answer {
    let allowed = [relation, "MaxRecords", "NextToken"];
    if let Some(other) = context.input.unknown(&allowed) {
        return Err(validation(format!("{relation} cannot be combined with {other}")));
    }
    let book = context.cloudwatch.alarms();
    let children = relation == "ChildrenOfAlarmName";
    let alarms: Vec<&Alarm> = if children {
        book.children(name).into_iter().filter_map(|child| book.alarms.get(child)).collect()
    } else {
        book.parents(name)
    };
    let (page, token) = page::cut(context, alarms.into_iter(), page::size(context)?)?;
    let brief = page.into_iter().map(|alarm| {
        let state = children.then(|| alarm.status.state.name());
        let updated = if children { Value::Moment(alarm.status.updated_ms) } else { Value::Null };
        let value = Value::map([
            ("AlarmName", (&alarm.name).into()),
            ("AlarmArn", (&alarm.arn).into()),
            ("StateValue", state.into()),
            ("StateUpdatedTimestamp", updated),
        ]);
        (alarm.is_composite(), value)
    });
    Ok(by_type(brief, token))
}

/// Alarms on one metric; metric-math alarms are not found this way, as in AWS.
pub(super) fn for_metric(context: &Context<'_>) -> Answer {
    let input = &context.input;
    let wanted = read_metric(input, "MetricName")?;
    let stat = input.text("Statistic")?.or(input.text("ExtendedStatistic")?);
    let (period_s, unit) = (input.integer("Period")?, read_unit(input)?);
    let matches = |alarm: &&Alarm| -> bool {
        let Kind::Metric(own) = &alarm.kind else { return false };
        let Watched::One { metric, stat: own_stat, unit: own_unit, .. } = &own.watched else { return false };
        *metric == wanted
            && stat.is_none_or(|stat| stat == own_stat)
            && period_s.is_none_or(|period_s| period_s == own.period_s)
            && (unit.is_none() || unit == *own_unit)
    };
    let book = context.cloudwatch.alarms();
    let found: Vec<Value> = book.alarms.values().filter(matches).map(Alarm::to_value).collect();
    Ok::<Value, AwsError>(Value::map([("MetricAlarms", Value::List(found))]))
}
