//! `GetServiceGraph` and `GetTraceGraph`.

use serde::Deserialize;
use serde_json::json;
use twin_platform::AwsError;

use super::{Answer, answer, aside, failure, range, trace_ids};
use crate::{XRay, graph::Graph, view::View};

/// Longest time range, in hours: what the service refuses beyond; no page states it.
const MAX_HOURS: f64 = 6.0;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfService {
    start_time: f64,
    end_time: f64,
    group_name: Option<String>,
    #[serde(rename = "GroupARN")]
    group_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfTraces {
    trace_ids: Vec<String>,
}

/// The graph of the traces that started within the range, in one page.
pub(super) async fn of_service(xray: &XRay, input: OfService) -> Answer {
    // The group that always exists, and holds every trace.
    if input.group_arn.is_some() || input.group_name.as_deref().is_some_and(|name| name != "Default") {
        return Err(AwsError::not_implemented("xray", "GetServiceGraph of a group"));
    }
    let range = range(input.start_time, input.end_time, MAX_HOURS)?;
    let (start, end) = (*range.start(), *range.end());
    let traces = xray.store().all();
    let account = xray.account.id.clone();
    let services = aside(move || {
        let mut graph = Graph::default();
        for trace in traces.iter().filter(|trace| range.contains(&trace.start_time())) {
            graph.add(&View::of(trace));
        }
        serde_json::to_value(graph.services(&account))
    });
    let services = services.await?.map_err(|error| failure(error.to_string()))?;
    answer(&json!({
        "StartTime": start,
        "EndTime": end,
        "Services": services,
        "ContainsOldGroupVersions": false,
    }))
}

/// The graph of the named traces; those that are not known add nothing.
pub(super) fn of_traces(xray: &XRay, input: &OfTraces) -> Answer {
    let mut graph = Graph::default();
    for id in trace_ids(&input.trace_ids)? {
        if let Some(trace) = xray.store().get(id) {
            graph.add(&View::of(&trace));
        }
    }
    answer(&json!({ "Services": graph.services(&xray.account.id) }))
}
