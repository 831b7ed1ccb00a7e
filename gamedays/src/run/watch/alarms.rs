//! Alarms: their states now, and when they changed.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{AlarmType, HistoryItemType};
use reset::AwsError;
use serde_json::Value;
use time::OffsetDateTime;

use crate::Lab;

/// One alarm, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::run) struct AlarmState {
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`.
    pub(in crate::run) state: String,
    /// Whether it has actions and they are switched off.
    pub(in crate::run) silenced: bool,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::run) struct Transition {
    pub(in crate::run) alarm: String,
    pub(in crate::run) at: OffsetDateTime,
    pub(in crate::run) from: String,
    pub(in crate::run) to: String,
    pub(in crate::run) reason: String,
}

/// How Application Auto Scaling names the alarms of its policies. They are its levers and tell of no sickness: an idle service has
/// one in ALARM all the time, which holds it at its least count.
const LEVERS: &str = "TargetTracking-";

const TYPES: [AlarmType; 2] = [AlarmType::MetricAlarm, AlarmType::CompositeAlarm];

/// All alarms that are meant for people, by name.
pub(super) async fn look(lab: &Lab) -> Result<BTreeMap<String, AlarmState>, String> {
    let mut found = BTreeMap::new();
    let mut next = None;
    loop {
        let describe = lab.cloudwatch.describe_alarms().set_alarm_types(Some(TYPES.into())).set_next_token(next);
        let page = describe.send().await;
        let page = page.map_err(|error| AwsError::from_sdk("cloudwatch:DescribeAlarms")(error).to_string())?;
        let metric = page.metric_alarms().iter().map(|alarm| {
            (alarm.alarm_name(), alarm.state_value(), alarm.actions_enabled(), alarm.alarm_actions().is_empty())
        });
        let composite = page.composite_alarms().iter().map(|alarm| {
            (alarm.alarm_name(), alarm.state_value(), alarm.actions_enabled(), alarm.alarm_actions().is_empty())
        });
        for (name, state, enabled, without_actions) in metric.chain(composite) {
            if name.is_some_and(is_lever) {
                continue;
            }
            let state = state.map_or("", |state| state.as_str()).to_owned();
            let silenced = enabled == Some(false) && !without_actions;
            found.insert(name.unwrap_or_default().to_owned(), AlarmState { state, silenced });
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(found);
        }
    }
}

/// Changes of state since then, oldest first.
pub(in crate::run) async fn transitions(lab: &Lab, since: OffsetDateTime) -> Result<Vec<Transition>, String> {
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let describe = lab
            .cloudwatch
            .describe_alarm_history()
            .set_alarm_types(Some(TYPES.into()))
            .history_item_type(HistoryItemType::StateUpdate)
            .start_date(since.into_sdk())
            .set_next_token(next);
        let page = describe.send().await;
        let page = page.map_err(|error| AwsError::from_sdk("cloudwatch:DescribeAlarmHistory")(error).to_string())?;
        for item in page.alarm_history_items().iter().filter(|item| !item.alarm_name().is_some_and(is_lever)) {
            let Some(at) = item.timestamp().and_then(from_sdk).filter(|at| *at >= since) else { continue };
            let data: Value = serde_json::from_str(item.history_data().unwrap_or_default()).unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            found.push(Transition {
                alarm: item.alarm_name().unwrap_or_default().to_owned(),
                at,
                from: text(&data["oldState"]["stateValue"]),
                to: text(&data["newState"]["stateValue"]),
                reason: text(&data["newState"]["stateReason"]),
            });
        }
        next = page.next_token;
        if next.is_none() {
            found.sort_by_key(|transition| transition.at);
            return Ok(found);
        }
    }
}

fn is_lever(name: &str) -> bool {
    name.starts_with(LEVERS)
}

/// The SDK's own type of time.
pub(super) trait IntoSdk {
    fn into_sdk(self) -> aws_sdk_cloudwatch::primitives::DateTime;
}

impl IntoSdk for OffsetDateTime {
    fn into_sdk(self) -> aws_sdk_cloudwatch::primitives::DateTime {
        aws_sdk_cloudwatch::primitives::DateTime::from_secs_f64(milliseconds(self) / 1000.0)
    }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in an f64")]
fn milliseconds(at: OffsetDateTime) -> f64 {
    (at.unix_timestamp_nanos() / 1_000_000) as f64
}

pub(super) fn from_sdk(at: &aws_sdk_cloudwatch::primitives::DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(at.as_nanos()).ok()
}
