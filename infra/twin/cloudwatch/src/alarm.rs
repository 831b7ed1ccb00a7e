//! Alarms: what one is, and what it says about itself.

pub(crate) mod book;
pub(crate) mod history;
pub(crate) mod judge;
pub(crate) mod measure;
pub(crate) mod notice;
pub(crate) mod reason;
pub(crate) mod rule;
#[cfg(test)]
mod tests;
pub(crate) mod value;

use std::collections::BTreeMap;

use crate::{data_query::DataQuery, statistic::Statistic, store::Metric};
use rule::Rule;

/// The three states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    /// As the API writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    /// The state with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|state| state.name() == name)
    }
}

/// A metric alarm or a composite alarm.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) actions_enabled: bool,
    pub(crate) actions: Actions,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) configured_ms: i64,
    pub(crate) tags: BTreeMap<String, String>,
    /// When a metric alarm is looked at next.
    pub(crate) due_ms: i64,
}

/// What is run on a transition to each state, by ARN.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actions {
    pub(crate) ok: Vec<String>,
    pub(crate) alarm: Vec<String>,
    pub(crate) insufficient_data: Vec<String>,
}

impl Actions {
    /// Those of one state.
    pub(crate) fn of(&self, state: State) -> &[String] {
        match state {
            State::Ok => &self.ok,
            State::Alarm => &self.alarm,
            State::InsufficientData => &self.insufficient_data,
        }
    }
}

/// A state and why.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) state: State,
    pub(crate) reason: String,
    /// JSON.
    pub(crate) reason_data: Option<String>,
    /// When state or reason last changed.
    pub(crate) updated_ms: i64,
    /// When the state last changed.
    pub(crate) transitioned_ms: i64,
}

/// What an alarm watches.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Metric(Box<MetricAlarm>),
    /// Other alarms, by an expression; the text is as the caller wrote it.
    Composite {
        text: String,
        rule: Rule,
    },
}

/// The settings of a metric alarm.
#[derive(Clone, Debug)]
pub(crate) struct MetricAlarm {
    pub(crate) watched: Watched,
    /// Seconds, as the caller wrote them.
    pub(crate) period_s: i64,
    /// N.
    pub(crate) evaluation_periods: usize,
    /// M, where the caller gave it; else N.
    pub(crate) datapoints_to_alarm: Option<usize>,
    pub(crate) threshold: f64,
    pub(crate) comparison: Comparison,
    /// Where the caller gave it; else `missing`.
    pub(crate) missing: Option<Missing>,
    /// `EvaluateLowSampleCountPercentile`: true for `ignore`.
    pub(crate) ignore_low_samples: Option<bool>,
}

/// One metric, or metric math.
#[derive(Clone, Debug)]
pub(crate) enum Watched {
    One { metric: Metric, stat: String, statistic: Statistic, unit: Option<&'static str> },
    Math(Vec<DataQuery>),
}

impl MetricAlarm {
    /// M.
    pub(crate) fn needed(&self) -> usize {
        self.datapoints_to_alarm.unwrap_or(self.evaluation_periods)
    }
}

/// How a datapoint is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    GreaterOrEqual,
    Greater,
    Less,
    LessOrEqual,
}

impl Comparison {
    const ALL: [Self; 4] = [Self::GreaterOrEqual, Self::Greater, Self::Less, Self::LessOrEqual];

    /// As the API writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GreaterOrEqual => "GreaterThanOrEqualToThreshold",
            Self::Greater => "GreaterThanThreshold",
            Self::Less => "LessThanThreshold",
            Self::LessOrEqual => "LessThanOrEqualToThreshold",
        }
    }

    /// As a state's reason writes it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::GreaterOrEqual => "greater than or equal to",
            Self::Greater => "greater than",
            Self::Less => "less than",
            Self::LessOrEqual => "less than or equal to",
        }
    }

    /// The comparison with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.name() == name)
    }

    /// Whether the value breaches.
    pub(crate) fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterOrEqual => value >= threshold,
            Self::Greater => value > threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

/// `TreatMissingData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Unknown,
    Ignore,
    Breaching,
    NotBreaching,
}

impl Missing {
    pub(crate) const ALL: [Self; 4] = [Self::Unknown, Self::Ignore, Self::Breaching, Self::NotBreaching];

    /// As the API writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }
}
