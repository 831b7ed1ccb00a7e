//! What happened to alarms: configuration, states, actions. Kept after an alarm is deleted, as AWS does.

use std::collections::VecDeque;

use serde_json::{Value as Json, json};

use super::{Alarm, Status, notice::Notice};
use crate::wire::Value;

/// Items that are kept, oldest dropped first: at most 20 MiB, since one has at most 4 KiB of data.
const MOST_ITEMS: usize = 5000;
/// Longest `HistoryData` and `HistorySummary` ("AlarmHistoryItem", CloudWatch API Reference).
const MOST_DATA: usize = 4095;
const MOST_SUMMARY: usize = 255;

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) alarm: String,
    pub(crate) alarm_type: &'static str,
    pub(crate) at_ms: i64,
    /// `ConfigurationUpdate`, `StateUpdate`, `Action`.
    pub(crate) kind: &'static str,
    summary: String,
    data: String,
}

impl Item {
    /// The item as `DescribeAlarmHistory` returns it.
    pub(crate) fn to_value(&self) -> Value {
        Value::map([
            ("AlarmName", (&self.alarm).into()),
            ("AlarmType", self.alarm_type.into()),
            ("Timestamp", Value::Moment(self.at_ms)),
            ("HistoryItemType", self.kind.into()),
            ("HistorySummary", (&self.summary).into()),
            ("HistoryData", (&self.data).into()),
        ])
    }
}

/// All events, oldest first.
#[derive(Debug, Default)]
pub(crate) struct History(VecDeque<Item>);

impl History {
    /// Every item, oldest first.
    pub(crate) fn items(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.0.iter()
    }

    /// `Create`, `Update` or `Delete`.
    pub(crate) fn configured(&mut self, alarm: &Alarm, change: &str, at_ms: i64) {
        let participle = format!("{}d", change.to_ascii_lowercase());
        let mut data = json!({ "version": "1.0", "type": change });
        let brief = data.to_string();
        data[format!("{participle}Alarm")] = alarm.to_json();
        self.push(alarm, "ConfigurationUpdate", format!("Alarm \"{}\" {participle}", alarm.name), (data, brief), at_ms);
    }

    /// A transition; the alarm has its new status already.
    pub(crate) fn transition(&mut self, alarm: &Alarm, old: &Status) {
        let state = |status: &Status, with_data: bool| {
            let mut state = json!({ "stateValue": status.state.name(), "stateReason": status.reason });
            if let Some(data) = status.reason_data.as_deref().filter(|_| with_data) {
                state["stateReasonData"] = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
            }
            state
        };
        let data = |full: bool| json!({ "version": "1.0", "oldState": state(old, full), "newState": state(&alarm.status, full) });
        let (from, to) = (old.state.name(), alarm.status.state.name());
        let summary = format!("Alarm updated from {from} to {to}");
        self.push(alarm, "StateUpdate", summary, (data(true), data(false).to_string()), alarm.status.transitioned_ms);
    }

    /// An action that was run, or failed.
    pub(crate) fn action(&mut self, notice: &Notice, failure: Option<&str>, at_ms: i64) {
        let arn = &notice.action_arn;
        let summary = match failure {
            None => format!("Successfully executed action {arn}"),
            Some(failure) => format!("Failed to execute action {arn}. Received error: \"{failure}\""),
        };
        let mut data = json!({
            "actionState": if failure.is_none() { "Succeeded" } else { "Failed" },
            "stateUpdateTimestamp": notice.transition_ms,
            "notificationResource": arn,
            "error": failure,
        });
        let brief = data.to_string();
        data["publishedMessage"] = json!(notice.notification.message);
        self.0.push_back(Item {
            alarm: notice.alarm.clone(),
            alarm_type: notice.alarm_type,
            at_ms,
            kind: "Action",
            summary: super::reason::truncated(summary, MOST_SUMMARY),
            data: fitting(&data, brief),
        });
        self.bound();
    }

    fn push(&mut self, alarm: &Alarm, kind: &'static str, summary: String, (data, brief): (Json, String), at_ms: i64) {
        self.0.push_back(Item {
            alarm: alarm.name.clone(),
            alarm_type: alarm.type_name(),
            at_ms,
            kind,
            summary: super::reason::truncated(summary, MOST_SUMMARY),
            data: fitting(&data, brief),
        });
        self.bound();
    }

    fn bound(&mut self) {
        while self.0.len() > MOST_ITEMS {
            self.0.pop_front();
        }
    }
}

/// The data, or the brief form where it is too long: cut JSON is none.
fn fitting(data: &Json, brief: String) -> String {
    let whole = data.to_string();
    if whole.len() <= MOST_DATA { whole } else { brief }
}
