//! `GetTraceSummaries`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use twin_platform::AwsError;

use super::{Answer, answer, aside, failure, invalid, range};
use crate::{
    TraceId, XRay,
    filter::Filter,
    store::Trace,
    summary::{Summary, to_micros},
    view::View,
};

/// Longest time range, in hours: what the service refuses beyond; no page states it.
const MAX_HOURS: f64 = 24.0;
/// Summaries on a page; AWS states no number.
const PAGE: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetSummaries {
    start_time: f64,
    end_time: f64,
    time_range_type: Option<String>,
    /// `true` allows a subset; the answer is then complete nevertheless.
    sampling: Option<bool>,
    sampling_strategy: Option<Strategy>,
    filter_expression: Option<String>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Strategy {
    name: Option<String>,
    value: Option<f64>,
}

/// Which time of a trace must lie within the range (API reference, `TimeRangeType`).
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// When it started.
    TraceId,
    /// When it last changed.
    Event,
    /// When a segment ended.
    Service,
}

impl By {
    fn of(word: Option<&str>) -> Result<Self, AwsError> {
        match word {
            None | Some("TraceId") => Ok(Self::TraceId),
            Some("Event") => Ok(Self::Event),
            Some("Service") => Ok(Self::Service),
            Some(other) => Err(invalid(format!("TimeRangeType `{other}` is none of TraceId, Event, Service"))),
        }
    }
}

/// The place after a page: the trace that stood last on it. Traces that come meanwhile are newer and disturb nothing.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    time: f64,
    id: TraceId,
}

impl Place {
    fn read(token: &str) -> Result<Self, AwsError> {
        let read = || {
            let (time, id) = token.split_once('/')?;
            let time = u64::from_str_radix(time, 16).ok().map(f64::from_bits).filter(|time| time.is_finite())?;
            Some(Self { time, id: TraceId::parse(id)? })
        };
        read().ok_or_else(|| invalid("Invalid NextToken"))
    }

    fn write(self) -> String {
        format!("{:x}/{}", self.time.to_bits(), self.id)
    }
}

/// What of all traces is asked for.
struct Question {
    by: By,
    range: std::ops::RangeInclusive<f64>,
    share: f64,
    filter: Option<Filter>,
    after: Option<Place>,
    account: String,
}

/// "The first page contains the most recent results, closest to the end of the time frame."
pub(super) async fn get(xray: &XRay, input: GetSummaries) -> Answer {
    let filter = input.filter_expression.as_deref().filter(|text| !text.trim().is_empty());
    let question = Question {
        by: By::of(input.time_range_type.as_deref())?,
        range: range(input.start_time, input.end_time, MAX_HOURS)?,
        share: share(input.sampling, input.sampling_strategy)?,
        filter: filter
            .map(|text| text.parse().map_err(|mistake: crate::filter::Mistake| invalid(mistake.to_string())))
            .transpose()?,
        after: input.next_token.as_deref().map(Place::read).transpose()?,
        account: xray.account.id.clone(),
    };
    let traces = xray.store().all();
    let output = aside(move || question.page(traces)).await?;
    answer(&output.map_err(|error| failure(error.to_string()))?)
}

fn share(sampling: Option<bool>, strategy: Option<Strategy>) -> Result<f64, AwsError> {
    let Some(Strategy { name, value }) = strategy.filter(|_| sampling != Some(false)) else { return Ok(1.0) };
    match (name.as_deref(), value) {
        (Some("FixedRate"), Some(value)) if (0.0..=1.0).contains(&value) => Ok(value),
        (Some("FixedRate"), _) => Err(invalid("SamplingStrategy FixedRate needs a Value from 0 to 1")),
        _ => Err(AwsError::not_implemented("xray", "GetTraceSummaries with a SamplingStrategy other than FixedRate")),
    }
}

impl Question {
    /// The time by which the trace is found and ordered, if it lies within the range.
    fn time(&self, trace: &Trace) -> Option<f64> {
        let within = |time: &f64| self.range.contains(time);
        match self.by {
            By::TraceId => Some(trace.start_time()).filter(within),
            By::Event => Some(trace.updated).filter(within),
            By::Service => {
                let ends = trace.segments.iter().filter_map(|segment| segment.end_time);
                ends.filter(within).max_by(f64::total_cmp)
            }
        }
    }

    fn page(&self, traces: Vec<Arc<Trace>>) -> serde_json::Result<Value> {
        // A trace's share of all numbers is as good as chance, and the same on every page.
        let chosen =
            |trace: &Trace| self.share >= 1.0 || (trace.id.number() as u32 as f64) < self.share * 2_f64.powi(32);
        let mut found: Vec<(f64, Arc<Trace>)> =
            traces.into_iter().filter_map(|trace| Some((self.time(&trace)?, trace))).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.id.cmp(&a.1.id)));
        let begin = self.after.map_or(0, |after| {
            found.partition_point(|(time, trace)| time.total_cmp(&after.time).then(trace.id.cmp(&after.id)).is_ge())
        });
        let mut summaries = Vec::new();
        let mut processed = 0;
        let mut last = None;
        for (time, trace) in &found[begin..] {
            if summaries.len() == PAGE {
                break;
            }
            processed += 1;
            last = Some(Place { time: *time, id: trace.id });
            let view = View::of(trace);
            if chosen(trace) && self.filter.as_ref().is_none_or(|filter| filter.matches(&view)) {
                let matched = (self.by == By::Event).then_some(trace.updated);
                summaries.push(serde_json::to_value(Summary::of(&view, &self.account, matched))?);
            }
        }
        let more = begin + processed < found.len();
        let mut output = json!({
            "TraceSummaries": summaries,
            "ApproximateTime": last.map_or(*self.range.end(), |place| to_micros(place.time)),
            "TracesProcessedCount": processed,
        });
        if let Some(place) = last.filter(|_| more) {
            output["NextToken"] = Value::String(place.write());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_as_it_was_written_and_nothing_else_does() {
        let id = TraceId::parse("1-5759e988-bd862e3fe1be46a994272793").expect("an id");
        let place = Place { time: 1_461_096_053.375_18, id };
        assert!(Place::read(&place.write()).is_ok_and(|read| read == place));
        for token in ["", "x", "/", "7ff0000000000000/1-5759e988-bd862e3fe1be46a994272793", "1/2"] {
            assert!(Place::read(token).is_err(), "{token}");
        }
    }
}
