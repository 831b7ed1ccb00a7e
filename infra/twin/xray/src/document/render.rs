//! Segments in, documents out: every segment with its subsegments nested in it, as `BatchGetTraces` shows them.

use std::fmt::Write as _;

use crate::{
    SegmentId,
    json::{Members, object, push_text},
    segment::{Http, Scalar, Segment},
    view::View,
};

/// Deepest nesting shown; what lies deeper hangs at this depth. Nobody reads deeper, and a chain of thousands of spans must
/// not exhaust the stack.
const MAX_DEPTH: usize = 32;

/// Identifier and JSON of each document of the trace: its segments, what the service infers from calls to services that
/// send nothing, and subsegments whose segment has not come.
pub(crate) fn documents(view: &View<'_>) -> Vec<(SegmentId, String)> {
    let segments = &view.trace.segments;
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); segments.len()];
    let mut alone = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        match view.holder(index, MAX_DEPTH) {
            Some(holder) => children[holder].push(index),
            None if segment.kind == crate::Kind::Segment => {}
            None => alone.push(index),
        }
    }
    for list in &mut children {
        list.sort_by(|a, b| segments[*a].start_time.total_cmp(&segments[*b].start_time));
    }
    let mut documents = Vec::new();
    for unit in &view.units {
        let mut out = String::with_capacity(512);
        if unit.inferred {
            inferred(&mut out, unit.id, unit.kind.as_deref(), unit.segment);
        } else {
            let parent = unit.adopted_by.or(unit.segment.parent_id);
            tree(&mut out, segments, &children, unit.index, parent);
        }
        documents.push((unit.id, out));
    }
    for index in alone {
        let mut out = String::with_capacity(512);
        let segment = &segments[index];
        object(&mut out, |members| {
            members.text("type", "subsegment");
            head(members, segment, segment.parent_id);
            body(members, segment);
        });
        documents.push((segment.id, out));
    }
    documents
}

fn tree(out: &mut String, segments: &[Segment], children: &[Vec<usize>], index: usize, parent: Option<SegmentId>) {
    let segment = &segments[index];
    object(out, |members| {
        if segment.kind == crate::Kind::Segment {
            head(members, segment, parent);
        } else {
            members.text("id", &segment.id.to_string());
            common(members, segment);
        }
        body(members, segment);
        if !children[index].is_empty() {
            members.value("subsegments", |out| {
                out.push('[');
                for (nth, child) in children[index].iter().enumerate() {
                    if nth > 0 {
                        out.push(',');
                    }
                    tree(out, segments, children, *child, None);
                }
                out.push(']');
            });
        }
    });
}

/// "Inferred segments represent downstream services and resources" (developer guide, "AWS X-Ray segment documents").
fn inferred(out: &mut String, id: SegmentId, origin: Option<&str>, call: &Segment) {
    object(out, |members| {
        members.text("id", &id.to_string());
        common(members, call);
        members.text("trace_id", &call.trace_id.to_string());
        members.text("parent_id", &call.id.to_string());
        members.plain("inferred", true);
        members.maybe_text("origin", origin.filter(|origin| *origin != "remote"));
        http(members, call.http.as_deref());
        if let Some(aws) = &call.aws {
            members.raw("aws", aws);
        }
    });
}

fn head(members: &mut Members<'_>, segment: &Segment, parent: Option<SegmentId>) {
    members.text("id", &segment.id.to_string());
    common(members, segment);
    members.text("trace_id", &segment.trace_id.to_string());
    if let Some(parent) = parent {
        members.text("parent_id", &parent.to_string());
    }
    members.maybe_text("origin", segment.origin.as_deref());
    members.maybe_text("resource_arn", segment.resource_arn.as_deref());
    members.maybe_text("user", segment.user.as_deref());
}

fn common(members: &mut Members<'_>, segment: &Segment) {
    members.text("name", &segment.name);
    members.plain("start_time", segment.start_time);
    match segment.end_time {
        Some(end) => members.plain("end_time", end),
        None => members.plain("in_progress", true),
    }
    members.flag("error", segment.error);
    members.flag("fault", segment.fault);
    members.flag("throttle", segment.throttle);
}

fn body(members: &mut Members<'_>, segment: &Segment) {
    members.maybe_text("namespace", segment.kind.namespace());
    http(members, segment.http.as_deref());
    if let Some(aws) = &segment.aws {
        members.raw("aws", aws);
    }
    if !segment.annotations.is_empty() {
        members.object("annotations", |inner| {
            for (key, value) in &segment.annotations {
                inner.value(key, |out| scalar(out, value));
            }
        });
    }
    if let Some(rest) = &segment.members {
        members.rest(rest);
    }
}

fn scalar(out: &mut String, value: &Scalar) {
    let _ = match value {
        Scalar::Bool(value) => write!(out, "{value}"),
        Scalar::Number(value) if value.is_finite() => write!(out, "{value}"),
        Scalar::Number(_) => write!(out, "null"),
        Scalar::Text(value) => {
            push_text(out, value);
            Ok(())
        }
    };
}

fn http(members: &mut Members<'_>, http: Option<&Http>) {
    let Some(http) = http else { return };
    members.object("http", |http_members| {
        let Http { method, url, user_agent, client_ip, status, content_length } = http;
        if [method, url, user_agent, client_ip].iter().any(|part| part.is_some()) {
            http_members.object("request", |request| {
                request.maybe_text("method", method.as_deref());
                request.maybe_text("url", url.as_deref());
                request.maybe_text("user_agent", user_agent.as_deref());
                request.maybe_text("client_ip", client_ip.as_deref());
            });
        }
        if status.is_some() || content_length.is_some() {
            http_members.object("response", |response| {
                if let Some(status) = status {
                    response.plain("status", status);
                }
                if let Some(length) = content_length {
                    response.plain("content_length", length);
                }
            });
        }
    });
}
