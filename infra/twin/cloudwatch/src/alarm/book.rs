//! All alarms, their transitions, and what transitions set off.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    ops::Deref,
};

use serde_json::{Value, json};
use time::macros::format_description;
use twin_platform::{Account, Speed, seam::AlarmNotification};

use super::{
    Alarm, Kind, State, Status,
    history::History,
    measure,
    notice::{self, Notice},
    reason,
    rule::{Rule, alarm_name},
};
use crate::{store::Store, wire::moment};

/// Actions that wait to be run. More means that whoever runs them hangs; the oldest are given up.
const MOST_WAITING: usize = 1000;

/// Alarms by name, their history, and the actions that wait to be run.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) alarms: BTreeMap<String, Alarm>,
    pub(crate) history: History,
    /// In the order of the transitions.
    pub(crate) outbox: VecDeque<Notice>,
    /// Composite alarms that have to be looked at.
    unsettled: BTreeSet<String>,
}

/// A status that an alarm is to have.
struct Next {
    state: State,
    reason: String,
    reason_data: Option<String>,
    /// For a composite alarm: those that its state comes from.
    children: Value,
}

impl Book {
    /// Evaluates every metric alarm that is due, then the composite ones. Returns how many metric alarms were looked at.
    /// `store` is asked anew for each alarm, so that others get at the metrics in between.
    pub(crate) fn evaluate<Guard: Deref<Target = Store>>(
        &mut self,
        store: impl Fn() -> Guard,
        account: &Account,
        speed: Speed,
        now_ms: i64,
    ) -> usize {
        let due = self.alarms.values().filter(|alarm| !alarm.is_composite() && alarm.due_ms <= now_ms);
        let due: Vec<String> = due.map(|alarm| alarm.name.clone()).collect();
        for name in &due {
            let Some(alarm) = self.alarms.get_mut(name) else { continue };
            let Kind::Metric(metric) = &alarm.kind else { continue };
            let window_ms = measure::window_s(metric.period_s, speed) * 1000;
            alarm.due_ms = (now_ms.div_euclid(window_ms) + 1) * window_ms;
            let finding = measure::evaluate(metric, &store(), speed, now_ms);
            match finding.state {
                Some(state) if state != alarm.status.state => {
                    let (reason, reason_data) = (finding.reason, finding.reason_data);
                    self.apply(name, Next { state, reason, reason_data, children: Value::Null }, account, now_ms);
                }
                _ => self.repeat_scaling(name, finding.reason_data, account),
            }
        }
        self.settle_composites(account, now_ms);
        due.len()
    }

    /// Sets a state as `SetAlarmState` does; it lasts until the next evaluation.
    pub(crate) fn set(
        &mut self,
        name: &str,
        state: State,
        reason: String,
        data: Option<String>,
        account: &Account,
        now_ms: i64,
    ) {
        self.apply(name, Next { state, reason, reason_data: data, children: json!([]) }, account, now_ms);
        self.settle_composites(account, now_ms);
    }

    fn apply(&mut self, name: &str, next: Next, account: &Account, now_ms: i64) {
        let Some(alarm) = self.alarms.get_mut(name) else { return };
        let changed = alarm.status.state != next.state;
        let transitioned_ms = if changed { now_ms } else { alarm.status.transitioned_ms };
        let (reason, reason_data) = (next.reason, next.reason_data);
        let status = Status { state: next.state, reason, reason_data, updated_ms: now_ms, transitioned_ms };
        let old = std::mem::replace(&mut alarm.status, status);
        if !changed {
            return;
        }
        self.history.transition(alarm, &old);
        if alarm.actions_enabled {
            let notification = AlarmNotification {
                subject: notice::subject(alarm, account),
                message: notice::message(alarm, old.state, account, &next.children),
                reason_data: alarm.status.reason_data.clone(),
            };
            let notices = alarm.actions.of(next.state).iter().map(|arn| Notice {
                alarm: alarm.name.clone(),
                alarm_type: alarm.type_name(),
                action_arn: arn.clone(),
                notification: notification.clone(),
                transition_ms: now_ms,
                repeated: false,
            });
            self.outbox.extend(notices);
            while self.outbox.len() > MOST_WAITING {
                let Some(given_up) = self.outbox.pop_front() else { break };
                self.history.action(&given_up, Some("too many actions wait to be run"), now_ms);
            }
        }
        self.unsettle_parents(name);
    }

    fn unsettle_parents(&mut self, name: &str) {
        let parents: Vec<String> = self.parents(name).into_iter().map(|parent| parent.name.clone()).collect();
        self.unsettled.extend(parents);
    }

    /// Auto Scaling's actions are run for every period in which the state lasts, others once ("Using Amazon CloudWatch alarms").
    fn repeat_scaling(&mut self, name: &str, reason_data: Option<String>, account: &Account) {
        let Some(alarm) = self.alarms.get(name).filter(|alarm| alarm.actions_enabled) else { return };
        let state = alarm.status.state;
        for arn in alarm.actions.of(state).iter().filter(|arn| arn.starts_with("arn:aws:autoscaling:")) {
            // A policy that is still at work with the last one must not find a queue of them.
            if self.outbox.iter().any(|waiting| waiting.alarm == *name && waiting.action_arn == *arn) {
                continue;
            }
            self.outbox.push_back(Notice {
                alarm: name.to_owned(),
                alarm_type: alarm.type_name(),
                action_arn: arn.clone(),
                notification: AlarmNotification {
                    subject: notice::subject(alarm, account),
                    message: notice::message(alarm, state, account, &Value::Null),
                    reason_data: reason_data.clone(),
                },
                transition_ms: alarm.status.transitioned_ms,
                repeated: true,
            });
        }
    }

    /// Creates or replaces an alarm.
    pub(crate) fn put(&mut self, alarm: Alarm, change: &str) {
        self.history.configured(&alarm, change, alarm.configured_ms);
        self.unsettle_parents(&alarm.name);
        if alarm.is_composite() {
            self.unsettled.insert(alarm.name.clone());
        }
        self.alarms.insert(alarm.name.clone(), alarm);
    }

    /// Composite alarms are looked at when they were put or an alarm in their rule has changed, not otherwise: a state set by
    /// hand stays until then ("SetAlarmState"). Those in a cycle stay as they are ("PutCompositeAlarm"), so this ends.
    fn settle_composites(&mut self, account: &Account, now_ms: i64) {
        while let Some(name) = self.next_unsettled() {
            self.unsettled.remove(&name);
            if self.descendants(&name).contains(name.as_str()) {
                continue;
            }
            if let Some(next) = self.alarms.get(&name).and_then(|alarm| self.composite_status(alarm)) {
                self.apply(&name, next, account, now_ms);
            }
        }
    }

    /// Children come before their parents: a parent that is looked at too early would notify of a state it never had.
    fn next_unsettled(&self) -> Option<String> {
        let settled_below = |name: &&String| {
            let below = self.descendants(name);
            !self.unsettled.iter().any(|other| other != *name && below.contains(other.as_str()))
        };
        self.unsettled.iter().find(settled_below).or(self.unsettled.first()).cloned()
    }

    /// The status of a composite alarm, when it is another than it has.
    fn composite_status(&self, alarm: &Alarm) -> Option<Next> {
        let Kind::Composite { rule, .. } = &alarm.kind else { return None };
        let holds = rule.holds(&|name| Some(self.alarms.get(alarm_name(name))?.status.state));
        let state = if holds { State::Alarm } else { State::Ok };
        if state == alarm.status.state {
            return None;
        }
        let mut children: Vec<&Alarm> = rule.alarms().into_iter().filter_map(|name| self.alarms.get(name)).collect();
        children.sort_by_key(|child| std::cmp::Reverse(child.status.transitioned_ms));
        let reason = children.first().map_or_else(
            || format!("The alarm rule is {holds}"),
            |child| {
                let at = moment::utc(child.status.transitioned_ms).format(format_description!(
                    "[weekday] [day] [month repr:long], [year] [hour]:[minute]:[second] UTC"
                ));
                format!("{} transitioned to {} at {}", child.arn, child.status.state.name(), at.unwrap_or_default())
            },
        );
        let triggering: Value =
            children.iter().take(10).map(|child| described(child, "arn", "state", "value", "timestamp")).collect();
        let shown: Value =
            children.iter().take(10).map(|child| described(child, "Arn", "State", "Value", "Timestamp")).collect();
        let reason_data = json!({ "triggeringAlarms": triggering }).to_string();
        Some(Next { state, reason: reason::truncated(reason, 1023), reason_data: Some(reason_data), children: shown })
    }

    /// Every alarm that following the rules from this one leads to; itself among them means a cycle.
    fn descendants(&self, name: &str) -> HashSet<&str> {
        let mut found = HashSet::new();
        let mut left: Vec<&str> = self.children(name);
        while let Some(child) = left.pop() {
            if found.insert(child) {
                left.extend(self.children(child));
            }
        }
        found
    }

    /// The alarms that a composite alarm's rule names; none for a metric alarm.
    pub(crate) fn children(&self, name: &str) -> Vec<&str> {
        self.rule(name).map(Rule::alarms).unwrap_or_default()
    }

    /// The composite alarms whose rules name this alarm.
    pub(crate) fn parents(&self, name: &str) -> Vec<&Alarm> {
        let names_it =
            |alarm: &&Alarm| matches!(&alarm.kind, Kind::Composite { rule, .. } if rule.alarms().contains(&name));
        self.alarms.values().filter(names_it).collect()
    }

    fn rule(&self, name: &str) -> Option<&Rule> {
        match &self.alarms.get(name)?.kind {
            Kind::Composite { rule, .. } => Some(rule),
            Kind::Metric(_) => None,
        }
    }
}

fn described(child: &Alarm, arn: &str, state: &str, value: &str, timestamp: &str) -> Value {
    let at = moment::offset(child.status.transitioned_ms);
    json!({ arn: child.arn, state: { value: child.status.state.name(), timestamp: at } })
}
