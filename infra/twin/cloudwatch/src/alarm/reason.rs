//! Why an alarm is in its state, in AWS's words, and the same as JSON (`StateReasonData`).

use serde_json::{Value, json};

use super::{MetricAlarm, Missing, State, Watched, judge::Verdict};
use crate::wire::moment;

/// Longest reason and reason data ("MetricAlarm", CloudWatch API Reference).
const MOST_REASON: usize = 1023;
const MOST_DATA: usize = 4000;

/// Datapoints that a reason lists at most.
const LISTED: usize = 5;

/// One datapoint of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) at_ms: i64,
    pub(crate) value: f64,
    /// Samples behind it; none for metric math.
    pub(crate) samples: Option<f64>,
    pub(crate) breaches: bool,
}

/// The reason of `state`. `judged` are the real datapoints, oldest first.
pub(crate) fn text(alarm: &MetricAlarm, state: State, judged: &[Point], verdict: &Verdict) -> String {
    let filled = verdict.filled;
    let reason = match state {
        State::InsufficientData => {
            format!("Insufficient Data: {} unknown.", was(alarm.evaluation_periods, "datapoint"))
        }
        _ if judged.is_empty() => format!(
            "Threshold Crossed: no datapoints were received for {} and {}.",
            counted(alarm.evaluation_periods, "period"),
            treated(alarm, filled)
        ),
        _ => crossed(alarm, state, judged, filled),
    };
    truncated(reason, MOST_REASON)
}

fn crossed(alarm: &MetricAlarm, state: State, judged: &[Point], filled: usize) -> String {
    let alarming = state == State::Alarm;
    let mut decisive: Vec<&Point> = judged.iter().filter(|point| point.breaches == alarming).collect();
    if decisive.is_empty() {
        // Only filled-in datapoints decided.
        return format!(
            "Threshold Crossed: {} received for {} and {}.",
            was(judged.len(), "datapoint"),
            counted(alarm.evaluation_periods, "period"),
            treated(alarm, filled)
        );
    }
    decisive.reverse();
    let listed =
        decisive.iter().take(LISTED).map(|point| format!("{:?} ({})", point.value, moment::short(point.at_ms)));
    let listed = format!("[{}]", listed.collect::<Vec<_>>().join(", "));
    let verb = if decisive.len() == 1 { "was" } else { "were" };
    let comparison = format!(
        "{verb} {}{} the threshold ({:?})",
        if alarming { "" } else { "not " },
        alarm.comparison.words(),
        alarm.threshold
    );
    let count = format!("{} out of the last {} datapoints", decisive.len(), alarm.evaluation_periods);
    let fillers = if filled == 0 || matches!(alarm.missing, None | Some(Missing::Unknown | Missing::Ignore)) {
        String::new()
    } else {
        format!(" and {}", treated(alarm, filled))
    };
    let (least, way) = if alarming {
        (alarm.needed(), "OK -> ALARM")
    } else {
        (alarm.evaluation_periods - alarm.needed() + 1, "ALARM -> OK")
    };
    let least = format!("(minimum {} for {way} transition)", counted(least, "datapoint"));
    if decisive.len() < LISTED {
        format!("Threshold Crossed: {count} {listed} {comparison}{fillers} {least}.")
    } else {
        let side = if alarming { "crossed" } else { "did not cross" };
        format!(
            "Threshold Crossed: {count} {comparison}{fillers}. \
             The most recent datapoints which {side} the threshold: {listed} {least}."
        )
    }
}

fn treated(alarm: &MetricAlarm, filled: usize) -> String {
    let treatment = match alarm.missing.unwrap_or(Missing::Unknown) {
        Missing::Unknown => "Missing",
        Missing::Ignore => "Ignored",
        Missing::Breaching => "Breaching",
        Missing::NotBreaching => "NonBreaching",
    };
    format!("{} treated as [{treatment}]", was(filled, "missing datapoint"))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn was(count: usize, what: &str) -> String {
    format!("{} {}", counted(count, what), if count == 1 { "was" } else { "were" })
}

/// Every datapoint of the range that was there, for programs.
pub(crate) fn data(alarm: &MetricAlarm, points: &[Point], start_ms: i64, now_ms: i64) -> String {
    let mut data = json!({
        "version": "1.0",
        "queryDate": moment::offset(now_ms),
        "period": alarm.period_s,
        "threshold": alarm.threshold,
        "startDate": moment::offset(start_ms),
        "recentDatapoints": points.iter().map(|point| point.value).collect::<Vec<_>>(),
        "evaluatedDatapoints": points.iter().rev().map(|point| evaluated(*point)).collect::<Vec<_>>(),
    });
    if let Watched::One { stat, unit, .. } = &alarm.watched {
        data["statistic"] = json!(stat);
        if let Some(unit) = unit {
            data["unit"] = json!(unit);
        }
    }
    let whole = data.to_string();
    if whole.len() <= MOST_DATA {
        return whole;
    }
    // Cut JSON is none: the details go first.
    data["evaluatedDatapoints"] = json!([]);
    let recent = points.len().saturating_sub(100);
    data["recentDatapoints"] = points[recent..].iter().map(|point| point.value).collect();
    data.to_string()
}

fn evaluated(point: Point) -> Value {
    let mut evaluated = json!({ "timestamp": moment::offset(point.at_ms), "value": point.value });
    if let Some(samples) = point.samples {
        evaluated["sampleCount"] = json!(samples);
    }
    evaluated
}

/// At most that many characters.
pub(crate) fn truncated(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => text[..at].to_owned(),
        None => text,
    }
}
