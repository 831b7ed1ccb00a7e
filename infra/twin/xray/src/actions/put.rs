//! `PutTraceSegments` and `PutTelemetryRecords`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, answer};
use crate::{XRay, document};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Segments {
    trace_segment_documents: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    error_code: &'static str,
    message: String,
}

/// Good documents are kept whatever stands beside them.
pub(super) fn segments(xray: &XRay, input: Segments) -> Answer {
    let mut kept = Vec::new();
    let mut unprocessed = Vec::new();
    for text in &input.trace_segment_documents {
        match document::read(text) {
            Ok(segments) => kept.extend(segments),
            Err(document::Refusal { id, code, message }) => {
                unprocessed.push(Unprocessed { id, error_code: code, message });
            }
        }
    }
    xray.keep(kept);
    answer(&serde_json::json!({ "UnprocessedTraceSegments": unprocessed }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Telemetry {
    telemetry_records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    timestamp: f64,
    #[serde(flatten)]
    counts: serde_json::Map<String, Value>,
}

/// What a daemon counted of its own work. No action of X-Ray shows it again: it goes to the twin's log.
pub(super) fn telemetry(input: Telemetry) -> Answer {
    for Record { timestamp, counts } in input.telemetry_records {
        let counts = Value::Object(counts);
        tracing::debug!(timestamp, %counts, "an X-Ray daemon's own counts");
    }
    answer(&serde_json::json!({}))
}
