//! Segment documents: JSON in, segments out.
//!
//! Promises: a document is taken whole, with its subsegments, or not at all; what is refused gets X-Ray's word for it
//! (`MissingId`, `InvalidName`, …). Members that no question is about are kept as they came. Refuses documents over 64 KiB.

pub(crate) mod render;

use serde_json::{Map, Value};

use crate::{
    SegmentId, TraceId,
    json::{Members, push_text},
    segment::{Http, Kind, MAX_NAME, Scalar, Segment, Text, allowed_in_name},
};

/// Largest document, in bytes of JSON: 64 kB (developer guide, "AWS X-Ray segment documents").
pub const MAX_DOCUMENT_BYTES: usize = 64 << 10;

/// Members that are understood; every other one is kept and shown again.
const UNDERSTOOD: [&str; 18] = [
    "trace_id",
    "id",
    "parent_id",
    "type",
    "name",
    "origin",
    "start_time",
    "end_time",
    "in_progress",
    "error",
    "fault",
    "throttle",
    "http",
    "user",
    "annotations",
    "resource_arn",
    "aws",
    "subsegments",
];

/// A document that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The segment's (or subsegment's) identifier, as far as it could be read.
    pub id: Option<String>,
    /// X-Ray's word for what is wrong.
    pub code: &'static str,
    /// One line for a person.
    pub message: String,
}

impl Refusal {
    fn of(object: &Map<String, Value>, code: &'static str, is_inner: bool) -> Self {
        let what = if is_inner { "subsegment" } else { "segment" };
        let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
        Self { id, code, message: format!("Invalid {what}. ErrorCode: {code}") }
    }
}

/// The segment of a document and the subsegments within it, each naming its parent.
///
/// # Errors
/// [`Refusal`] for the first thing that is wrong.
pub fn read(document: &str) -> Result<Vec<Segment>, Refusal> {
    let refuse = |code, message| Refusal { id: None, code, message };
    if document.len() > MAX_DOCUMENT_BYTES {
        let message = format!("Segment is {} bytes; the largest that is taken is {MAX_DOCUMENT_BYTES}", document.len());
        return Err(Refusal { id: id_within(document), code: "SegmentTooLarge", message });
    }
    let value: Value = serde_json::from_str(document)
        .map_err(|error| refuse("ParseError", format!("Invalid segment. ErrorCode: ParseError, Cause: {error}")))?;
    let Value::Object(object) = value else {
        return Err(refuse("ParseError", "Invalid segment. ErrorCode: ParseError, Cause: not a JSON object".into()));
    };
    let trace_id = match object.get("trace_id").map(|id| id.as_str().and_then(TraceId::parse)) {
        None => return Err(Refusal::of(&object, "MissingTraceId", false)),
        Some(None) => return Err(Refusal::of(&object, "InvalidTraceId", false)),
        Some(Some(id)) => id,
    };
    let parent = match object.get("parent_id").filter(|parent| !parent.is_null()) {
        None => None,
        Some(id) => match id.as_str().and_then(SegmentId::parse) {
            None => return Err(Refusal::of(&object, "InvalidParentId", false)),
            parent => parent,
        },
    };
    let is_inner = object.get("type").and_then(Value::as_str) == Some("subsegment");
    if is_inner && parent.is_none() {
        return Err(Refusal::of(&object, "MissingParentId", true));
    }
    let mut segments = Vec::new();
    collect(trace_id, parent, is_inner, object, &mut segments)?;
    Ok(segments)
}

/// A look for `"id":"…"` in a text that is too large to be parsed, as the daemon does it.
fn id_within(document: &str) -> Option<String> {
    let rest = document.split_once("\"id\"")?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.get(..16).filter(|id| SegmentId::parse(id).is_some()).map(str::to_owned)
}

fn collect(
    trace_id: TraceId,
    parent: Option<SegmentId>,
    is_inner: bool,
    mut object: Map<String, Value>,
    segments: &mut Vec<Segment>,
) -> Result<(), Refusal> {
    let subsegments = object.remove("subsegments");
    let segment = one(trace_id, parent, is_inner, &object).map_err(|code| Refusal::of(&object, code, is_inner))?;
    let id = segment.id;
    segments.push(segment);
    match subsegments {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(items)) => items.into_iter().try_for_each(|item| match item {
            Value::Object(inner) => collect(trace_id, Some(id), true, inner, segments),
            _ => Err(Refusal::of(&object, "InvalidSubsegments", is_inner)),
        }),
        Some(_) => Err(Refusal::of(&object, "InvalidSubsegments", is_inner)),
    }
}

fn one(
    trace_id: TraceId,
    parent_id: Option<SegmentId>,
    is_inner: bool,
    object: &Map<String, Value>,
) -> Result<Segment, &'static str> {
    let id = object.get("id").ok_or("MissingId")?.as_str().and_then(SegmentId::parse).ok_or("InvalidId")?;
    let name = object.get("name").ok_or("MissingName")?.as_str().ok_or("InvalidName")?;
    if name.is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(allowed_in_name) {
        return Err("InvalidName");
    }
    let time = |key: &str, wrong| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(time) => time.as_f64().filter(|time| (0.0..1e11).contains(time)).map(Some).ok_or(wrong),
    };
    let start_time = time("start_time", "InvalidStartTime")?.ok_or("MissingStartTime")?;
    let end_time = time("end_time", "InvalidEndTime")?;
    let flag = |key: &str| object.get(key).and_then(Value::as_bool).unwrap_or(false);
    if end_time.is_none() && !flag("in_progress") {
        return Err("MissingEndTime");
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(Text::from);
    let kind = match (is_inner, object.get("namespace").and_then(Value::as_str)) {
        (false, _) => Kind::Segment,
        (true, Some("aws")) => Kind::Aws,
        (true, Some("remote")) if object.get("sql").is_some_and(Value::is_object) => Kind::Sql,
        (true, Some("remote")) => Kind::Remote,
        // The SDK for Python says `local`, which the guide does not know.
        (true, _) => Kind::Local,
    };
    let aws = object.get("aws").filter(|aws| aws.is_object()).map(|aws| Text::from(aws.to_string()));
    Ok(Segment {
        parent_id,
        kind,
        origin: text("origin"),
        end_time: end_time.filter(|_| !flag("in_progress")),
        error: flag("error"),
        fault: flag("fault"),
        throttle: flag("throttle"),
        http: object.get("http").and_then(Value::as_object).map(|http| Box::new(read_http(http))),
        user: text("user"),
        annotations: object.get("annotations").and_then(Value::as_object).map(annotations).unwrap_or_default(),
        resource_arn: text("resource_arn"),
        aws,
        members: members(object),
        ..Segment::new(trace_id, id, name, start_time)
    })
}

fn read_http(http: &Map<String, Value>) -> Http {
    let text = |part: &str, key: &str| http.get(part)?.get(key)?.as_str().map(Text::from);
    let number = |key: &str| http.get("response")?.get(key)?.as_i64();
    Http {
        method: text("request", "method"),
        url: text("request", "url"),
        user_agent: text("request", "user_agent"),
        client_ip: text("request", "client_ip"),
        status: number("status").and_then(|status| u16::try_from(status).ok()),
        content_length: number("content_length"),
    }
}

/// Values that X-Ray indexes: strings, numbers and booleans (same page, "Annotations").
fn annotations(object: &Map<String, Value>) -> Vec<(Text, Scalar)> {
    let scalar = |value: &Value| match value {
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Number(value) => value.as_f64().map(Scalar::Number),
        Value::String(value) => Some(Scalar::Text(value.as_str().into())),
        _ => None,
    };
    object.iter().filter_map(|(key, value)| Some((key.as_str().into(), scalar(value)?))).collect()
}

fn members(object: &Map<String, Value>) -> Option<Text> {
    let mut out = String::new();
    let mut members = Members::bare(&mut out);
    for (key, value) in object {
        let is_namespace = key == "namespace" && value.as_str().is_some_and(|it| it == "aws" || it == "remote");
        if !is_namespace && !UNDERSTOOD.contains(&key.as_str()) {
            match value.as_str() {
                Some(text) => members.value(key, |out| push_text(out, text)),
                None => members.raw(key, &value.to_string()),
            }
        }
    }
    (!out.is_empty()).then(|| out.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TRACE: &str = "1-581cf771-a006649127e371903a2de979";

    fn minimal() -> Value {
        json!({
            "name": "example.com", "id": "70de5b6f19ff9a0a", "start_time": 1.478293361271E9, "trace_id": TRACE,
            "end_time": 1.478293361449E9,
        })
    }

    fn with(key: &str, value: Value) -> String {
        let mut document = minimal();
        document[key] = value;
        document.to_string()
    }

    fn without(key: &str) -> String {
        let mut document = minimal();
        document.as_object_mut().expect("an object").remove(key);
        document.to_string()
    }

    #[test]
    fn what_is_wrong_has_x_rays_word() {
        for (document, code) in [
            (String::new(), "ParseError"),
            ("{\"name\"".to_owned(), "ParseError"),
            ("[]".to_owned(), "ParseError"),
            ("[".repeat(10_000), "ParseError"),
            (without("trace_id"), "MissingTraceId"),
            (with("trace_id", json!("1-2-3")), "InvalidTraceId"),
            (without("id"), "MissingId"),
            (with("id", json!(7)), "InvalidId"),
            (without("name"), "MissingName"),
            (with("name", json!("")), "InvalidName"),
            (with("name", json!("a".repeat(201))), "InvalidName"),
            (with("name", json!("what?")), "InvalidName"),
            (without("start_time"), "MissingStartTime"),
            (with("start_time", json!("now")), "InvalidStartTime"),
            (with("start_time", json!(-1)), "InvalidStartTime"),
            (without("end_time"), "MissingEndTime"),
            (with("end_time", json!(1e300)), "InvalidEndTime"),
            (with("parent_id", json!("x")), "InvalidParentId"),
            (with("type", json!("subsegment")), "MissingParentId"),
            (with("subsegments", json!({})), "InvalidSubsegments"),
            (with("subsegments", json!([{"id": "53995c3f42cd8ad8", "name": "a", "start_time": 1}])), "MissingEndTime"),
            (with("metadata", json!("x".repeat(MAX_DOCUMENT_BYTES))), "SegmentTooLarge"),
        ] {
            assert_eq!(read(&document).expect_err(code).code, code, "{}", &document[..document.len().min(200)]);
        }
        let inner = with("subsegments", json!([{"id": "53995c3f42cd8ad8", "name": "a", "start_time": 1}]));
        let refusal = read(&inner).expect_err("no end");
        assert_eq!(refusal.id.as_deref(), Some("53995c3f42cd8ad8"));
        assert_eq!(refusal.message, "Invalid subsegment. ErrorCode: MissingEndTime");
        let large = read(&with("metadata", json!("x".repeat(MAX_DOCUMENT_BYTES)))).expect_err("too large");
        assert_eq!(large.id.as_deref(), Some("70de5b6f19ff9a0a"));
    }

    #[test]
    fn a_document_comes_back_as_it_went_in() {
        let document = json!({
            "name": "example.com", "id": "70de5b6f19ff9a0a", "start_time": 1.478293361271E9, "trace_id": TRACE,
            "end_time": 1.478293361449E9, "origin": "AWS::EC2::Instance", "user": "a \"b\"",
            "service": {"version": "7"}, "error": true,
            "http": {"request": {"method": "POST", "url": "http://e/"}, "response": {"status": 404, "content_length": -1}},
            "aws": {"ec2": {"availability_zone": "us-west-2c"}}, "annotations": {"n": 1.5, "t": "x", "b": false},
            "metadata": {"debug": {"test": [1, null]}}, "cause": {"exceptions": [{"id": "2f01"}]},
            "subsegments": [{
                "id": "53995c3f42cd8ad8", "name": "db@host", "start_time": 1.47829336138E9, "in_progress": true, "namespace": "remote",
                "sql": {"database_type": "PostgreSQL"},
                "subsegments": [{"id": "0f910026178b71eb", "name": "## inner", "start_time": 1.4782933614E9, "end_time": 1.4782933614E9}],
            }],
        });
        let mut store = crate::store::Store::new(1 << 20);
        for segment in read(&document.to_string()).expect("a document") {
            store.put(segment, 0.0);
        }
        let trace = store.get(TraceId::parse(TRACE).expect("an id")).expect("the trace");
        let documents = render::documents(&crate::view::View::of(&trace));
        assert_eq!(documents.len(), 2, "the segment and the inferred database");
        let shown: Value = serde_json::from_str(&documents[0].1).expect("JSON");
        assert_eq!(shown, document);
        let inferred: Value = serde_json::from_str(&documents[1].1).expect("JSON");
        assert_eq!((&inferred["origin"], &inferred["inferred"]), (&json!("Database::SQL"), &json!(true)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ -~é]{0,12}".prop_map(Value::from),
            Just(json!("53995c3f42cd8ad8")),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let keys = proptest::sample::select(vec![
                "id",
                "name",
                "subsegments",
                "request",
                "response",
                "status",
                "url",
                "x",
            ]);
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((keys, inner), 0..5).prop_map(|pairs| pairs
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in any::<String>()) {
            let _ = read(&text);
        }

        #[test]
        fn any_member_is_taken_or_refused_and_what_is_taken_can_be_shown(
            key in proptest::sample::select([&UNDERSTOOD[..], &["namespace", "sql", "cause", "metadata"]].concat()),
            value in any_json(),
        ) {
            if let Ok(segments) = read(&with(key, value)) {
                let mut store = crate::store::Store::new(1 << 20);
                let id = segments[0].trace_id;
                for segment in segments {
                    store.put(segment, 0.0);
                }
                let trace = store.get(id).expect("the trace");
                for (_, document) in render::documents(&crate::view::View::of(&trace)) {
                    prop_assert!(serde_json::from_str::<Value>(&document).is_ok(), "{}", document);
                }
            }
        }
    }
}
