//! What went wrong: the `exception` events of a span, or else its status. Stack traces are not taken apart; they stay in `message`'s
//! neighbour `stack` as one frame a line.

use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};

use super::{attributes::Attributes, value::text};
use crate::{
    SegmentId,
    json::{Members, object, push_text},
};

/// Most lines of a stack trace that are kept.
const MAX_FRAMES: usize = 50;

/// Whether the span's status says error.
pub(super) fn has_failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32)
}

/// Error, fault and throttle, as AWS's exporter has it: the HTTP status where there is one, else the span's status, which
/// means a fault. Beyond that, an `error.type` that is a status or the name of a throttling counts.
pub(super) fn judge(segment: &mut crate::Segment, span: &Span, attributes: &Attributes<'_>) {
    let named = attributes.error_type.and_then(|kind| kind.parse().ok());
    if let Some(status) = attributes.status.or(named).filter(|status| (400..600).contains(status)) {
        segment.judge(status);
    } else if attributes.error_type.is_some_and(|kind| kind.contains("Throttl") || kind.contains("TooManyRequests")) {
        segment.judge(429);
    } else {
        segment.fault = has_failed(span);
    }
}

/// Writes `cause`, if there is one.
pub(super) fn write(members: &mut Members<'_>, span: &Span, attributes: &Attributes<'_>, id: SegmentId, is_call: bool) {
    let exceptions: Vec<_> = span.events.iter().filter(|event| event.name == "exception").collect();
    let message = span.status.as_ref().map_or("", |status| status.message.as_str());
    let stated = has_failed(span) && (!message.is_empty() || attributes.error_type.is_some());
    if exceptions.is_empty() && !stated {
        return;
    }
    let one = |out: &mut String, nth: usize, kind: Option<&str>, message: Option<&str>, stack: Option<&str>| {
        object(out, |exception| {
            // Further than any other identifier that is derived from a span.
            exception.text("id", &id.derived(100 + nth as u64).to_string());
            exception.maybe_text("type", kind);
            exception.maybe_text("message", message);
            exception.flag("remote", is_call);
            if let Some(stack) = stack {
                exception.value("stack", |out| frames(out, stack));
            }
        });
    };
    members.object("cause", |cause| {
        cause.value("exceptions", |out| {
            out.push('[');
            if exceptions.is_empty() {
                one(out, 0, attributes.error_type, Some(message).filter(|message| !message.is_empty()), None);
            }
            for (nth, event) in exceptions.iter().enumerate() {
                let find = |key: &str| event.attributes.iter().find(|attribute| attribute.key == key);
                let get = |key: &str| find(key).and_then(|attribute| text(attribute.value.as_ref()));
                if nth > 0 {
                    out.push(',');
                }
                one(out, nth, get("exception.type"), get("exception.message"), get("exception.stacktrace"));
            }
            out.push(']');
        });
    });
}

fn frames(out: &mut String, stack: &str) {
    out.push('[');
    for (nth, line) in stack.lines().filter(|line| !line.trim().is_empty()).take(MAX_FRAMES).enumerate() {
        if nth > 0 {
            out.push(',');
        }
        out.push_str("{\"label\":");
        push_text(out, line.trim());
        out.push('}');
    }
    out.push(']');
}
