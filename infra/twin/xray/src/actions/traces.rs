//! `BatchGetTraces`.

use serde::{Deserialize, Serialize};

use super::{Answer, answer, trace_ids};
use crate::{XRay, document::render, summary::to_micros, view::View};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchGet {
    trace_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    traces: Vec<Trace>,
    unprocessed_trace_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Trace {
    id: String,
    duration: f64,
    limit_exceeded: bool,
    segments: Vec<Document>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    id: String,
    document: String,
}

/// One page: five traces of at most 500 KB.
pub(super) fn batch_get(xray: &XRay, input: &BatchGet) -> Answer {
    let ids = trace_ids(&input.trace_ids)?;
    let mut output = Output { traces: Vec::new(), unprocessed_trace_ids: Vec::new() };
    for (id, text) in ids.into_iter().zip(&input.trace_ids) {
        let Some(trace) = xray.store().get(id) else {
            output.unprocessed_trace_ids.push(text.clone());
            continue;
        };
        let documents = render::documents(&View::of(&trace));
        output.traces.push(Trace {
            id: id.to_string(),
            duration: to_micros(trace.duration()),
            limit_exceeded: trace.limit_exceeded,
            segments: documents.into_iter().map(|(id, document)| Document { id: id.to_string(), document }).collect(),
        });
    }
    answer(&output)
}
