//! OTLP/HTTP: `POST /v1/traces` in protobuf or JSON, gzipped or not (OpenTelemetry specification, "OTLP/HTTP").
//!
//! Promises: a body that cannot be read – cut, of another type, too large once unpacked – is refused with a `google.rpc.Status` and
//! nothing of it is kept. Of a body that can, the spans with a bad identifier or over 64 KiB are counted in `partialSuccess` and the rest is kept.

mod attributes;
mod cause;
mod resource;
mod span;
mod texts;
mod value;

use std::{borrow::Cow, io::Read as _, sync::Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use twin_platform::Response;

pub(crate) use self::span::{Databases, convert};
use crate::Segment;

/// Largest body once unpacked. An exporter's batch of 512 spans is some 300 KB; a small body that unpacks to gigabytes is no batch.
const MAX_BODY_BYTES: u64 = 32 << 20;

/// What a body starts with when it is gzipped; no protobuf message and no JSON starts so, and clients that set
/// `Content-Encoding` need not be asked about it.
const GZIP: [u8; 2] = [0x1f, 0x8b];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    fn of(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/x-protobuf") {
            Some(Self::Protobuf)
        } else {
            kind.eq_ignore_ascii_case("application/json").then_some(Self::Json)
        }
    }

    fn answer(self, status: u16, protobuf: impl FnOnce() -> Vec<u8>, json: impl FnOnce() -> String) -> Response {
        match self {
            Self::Json => Response::rest_json(status, json()),
            Self::Protobuf => {
                let mut response = Response::rest_json(status, protobuf());
                if let Ok(kind) = "application/x-protobuf".parse() {
                    response.headers.insert("content-type", kind);
                }
                response
            }
        }
    }
}

/// `google.rpc.Status`, without details.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// `INVALID_ARGUMENT` of `google.rpc.Code`.
const INVALID_ARGUMENT: i32 = 3;

/// What was wrong with the spans that were rejected.
const REJECTED: &str =
    "a span needs a trace id of 16 bytes and a span id of 8 bytes, not all zero, and at most 64 KiB of text";

/// Why a body was refused.
struct Unreadable {
    status: u16,
    message: String,
}

/// Reads a body and hands its segments to `keep`; answers as the specification has it.
pub(crate) fn ingest(
    content_type: &str,
    body: &[u8],
    databases: &Mutex<Databases>,
    may_send: impl Fn(&str) -> bool,
    keep: impl FnOnce(Vec<Segment>),
) -> Response {
    let Some(encoding) = Encoding::of(content_type) else {
        let message = format!("content type `{content_type}` is neither application/x-protobuf nor application/json");
        return refuse(content_type, 415, message);
    };
    let request = match read(encoding, body) {
        Ok(mut request) => {
            request.resource_spans.retain(|spans| resource::task_arn(spans.resource.as_ref()).is_none_or(&may_send));
            request
        }
        Err(Unreadable { status, message }) => return refuse(content_type, status, message),
    };
    let converted = convert(&request, &mut crate::lock(databases));
    keep(converted.segments);
    let partial_success = (converted.rejected > 0)
        .then(|| ExportTracePartialSuccess { rejected_spans: converted.rejected, error_message: REJECTED.into() });
    let answer = ExportTraceServiceResponse { partial_success };
    encoding.answer(200, || answer.encode_to_vec(), || json(&answer))
}

fn json(answer: &ExportTraceServiceResponse) -> String {
    match &answer.partial_success {
        None => "{}".into(),
        // 64-bit integers are strings in the JSON encoding of protobuf.
        Some(partial) => serde_json::json!({
            "partialSuccess": {
                "rejectedSpans": partial.rejected_spans.to_string(),
                "errorMessage": partial.error_message,
            }
        })
        .to_string(),
    }
}

/// A `Status` in the caller's encoding; in JSON for a content type that is neither.
pub(crate) fn refuse(content_type: &str, status: u16, message: String) -> Response {
    let encoding = Encoding::of(content_type).unwrap_or(Encoding::Json);
    let json = serde_json::json!({ "code": INVALID_ARGUMENT, "message": message }).to_string();
    let body = Status { code: INVALID_ARGUMENT, message };
    encoding.answer(status, || body.encode_to_vec(), || json)
}

fn read(encoding: Encoding, body: &[u8]) -> Result<ExportTraceServiceRequest, Unreadable> {
    let bad = |message: String| Unreadable { status: 400, message };
    let body = if body.starts_with(&GZIP) { Cow::Owned(unpack(body)?) } else { Cow::Borrowed(body) };
    match encoding {
        Encoding::Protobuf => ExportTraceServiceRequest::decode(&*body)
            .map_err(|error| bad(format!("the body is not an ExportTraceServiceRequest: {error}"))),
        Encoding::Json => serde_json::from_slice(&body)
            .map_err(|error| bad(format!("the body is not an ExportTraceServiceRequest: {error}"))),
    }
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(body)
        .take(MAX_BODY_BYTES + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| Unreadable { status: 400, message: format!("the gzip stream cannot be unpacked: {error}") })?;
    if unpacked.len() as u64 > MAX_BODY_BYTES {
        let message = format!("the body unpacks to more than {} MiB", MAX_BODY_BYTES >> 20);
        return Err(Unreadable { status: 413, message });
    }
    Ok(unpacked)
}
