//! DescribeAlarmHistory: newest first unless asked otherwise.

use super::{Answer, Context, page};
use crate::{
    alarm::{history::Item, rule::alarm_name},
    input::invalid,
    wire::Value,
};

pub(super) fn describe(context: &Context<'_>) -> Answer {
    let input = &context.input;
    let name = input.text("AlarmName")?.map(alarm_name);
    let kind = input.text("HistoryItemType")?;
    if let Some(kind) = kind.filter(|kind| !["ConfigurationUpdate", "StateUpdate", "Action"].contains(kind)) {
        return Err(invalid(format!("The value {kind} for parameter HistoryItemType is not one that the twin keeps.")));
    }
    let types = input.texts("AlarmTypes")?;
    let (start_ms, end_ms) = (input.moment("StartDate")?, input.moment("EndDate")?);
    let wanted = |item: &&Item| {
        // Without AlarmTypes only metric alarms are meant ("DescribeAlarmHistory").
        let of_type = if types.is_empty() {
            name.is_some() || item.alarm_type == "MetricAlarm"
        } else {
            types.contains(&item.alarm_type)
        };
        of_type
            && name.is_none_or(|name| name == item.alarm)
            && kind.is_none_or(|kind| kind == item.kind)
            && start_ms.is_none_or(|start_ms| item.at_ms >= start_ms)
            && end_ms.is_none_or(|end_ms| item.at_ms <= end_ms)
    };
    let ascending = match input.text("ScanBy")? {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(invalid(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let book = context.cloudwatch.alarms();
    let mut items: Vec<&Item> = book.history.items().filter(wanted).collect();
    if !ascending {
        items.reverse();
    }
    let (page, token) = page::cut(context, items.into_iter(), page::size(context)?)?;
    let items = Value::List(page.into_iter().map(Item::to_value).collect());
    Ok(Value::map([("AlarmHistoryItems", items), ("NextToken", token.into())]))
}
