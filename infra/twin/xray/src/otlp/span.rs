//! One span becomes one segment or subsegment, by the rules of AWS's exporter for X-Ray in the OpenTelemetry collector.
//!
//! A span of kind SERVER, or without a parent, is a segment named like its service; every other span is a subsegment. Beyond the
//! exporter: a call without a parent (a background refresh) becomes a segment of its service with the call inside it, so that the map
//! shows who called. A call to a database is named `<database>@<host>`; statements that do not say which database they go to
//! take the name that the same service last logged in to, or else the system's name.

use std::collections::HashMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{Span, span::SpanKind},
};

use super::{attributes::Attributes, cause, resource::Sender, texts::Texts, value};
use crate::{
    Segment, SegmentId, TraceId,
    document::MAX_DOCUMENT_BYTES,
    json::{Members, object},
    segment::{Http, Kind, MAX_NAME, Text, allowed_in_name},
};

/// Name of the database that a service last named, by service and database system.
pub(crate) type Databases = HashMap<(Text, Text), Text>;

/// Most services whose database is remembered.
const MAX_DATABASES: usize = 256;

pub(crate) struct Converted {
    pub(crate) segments: Vec<Segment>,
    /// Spans without proper identifiers, or larger than a segment may be.
    pub(crate) rejected: i64,
}

/// Every span of a request as a segment.
pub(crate) fn convert(request: &ExportTraceServiceRequest, databases: &mut Databases) -> Converted {
    let mut shared = Texts::default();
    let mut converted = Converted { segments: Vec::new(), rejected: 0 };
    for resource_spans in &request.resource_spans {
        let sender = Sender::of(resource_spans.resource.as_ref(), &mut shared);
        for span in resource_spans.scope_spans.iter().flat_map(|scope| &scope.spans) {
            match Ids::of(span) {
                Some(ids) => {
                    let mut one = One { sender: &sender, shared: &mut shared, databases };
                    let begin = converted.segments.len();
                    one.convert(span, ids, &mut converted.segments);
                    if converted.segments[begin..].iter().any(|one| one.text_bytes() > MAX_DOCUMENT_BYTES) {
                        converted.segments.truncate(begin);
                        converted.rejected += 1;
                    }
                }
                None => converted.rejected += 1,
            }
        }
    }
    converted
}

struct Ids {
    trace: TraceId,
    own: SegmentId,
    parent: Option<SegmentId>,
}

impl Ids {
    fn of(span: &Span) -> Option<Self> {
        let id = |bytes: &[u8]| bytes.try_into().ok().and_then(SegmentId::from_bytes);
        let no_parent = span.parent_span_id.iter().all(|byte| *byte == 0);
        let parent = id(&span.parent_span_id);
        (no_parent || parent.is_some()).then_some(())?;
        let trace = span.trace_id.as_slice().try_into().ok().and_then(TraceId::from_bytes)?;
        Some(Self { trace, own: id(&span.span_id)?, parent })
    }
}

struct One<'a> {
    sender: &'a Sender,
    shared: &'a mut Texts,
    databases: &'a mut Databases,
}

impl One<'_> {
    fn convert(&mut self, span: &Span, ids: Ids, segments: &mut Vec<Segment>) {
        let attributes = Attributes::of(&span.attributes);
        let is_server = span.kind == SpanKind::Server as i32;
        let calls = span.kind == SpanKind::Client as i32 || span.kind == SpanKind::Producer as i32;
        let kind = match ids.parent {
            _ if is_server => Kind::Segment,
            None if !calls => Kind::Segment,
            _ if attributes.is_aws => Kind::Aws,
            _ if calls && attributes.is_sql() => Kind::Sql,
            _ if calls => Kind::Remote,
            _ => Kind::Local,
        };
        let name = match kind {
            Kind::Segment => self.service_name(span, &attributes),
            _ => self.called_name(span, &attributes, kind),
        };
        let mut segment = Segment::new(ids.trace, ids.own, name, seconds(span.start_time_unix_nano));
        segment.end_time = (span.end_time_unix_nano > 0).then(|| seconds(span.end_time_unix_nano));
        segment.parent_id = ids.parent;
        segment.kind = kind;
        segment.http = attributes.is_http().then(|| Box::new(self.http(&attributes)));
        segment.user = attributes.user.and_then(|user| self.shared.share_some(user));
        cause::judge(&mut segment, span, &attributes);
        self.annotate(&mut segment, span, &attributes);
        if kind == Kind::Segment {
            segment.origin.clone_from(&self.sender.origin);
            segment.aws.clone_from(&self.sender.aws);
        } else {
            segment.aws = self.called_aws(&attributes, kind);
        }
        segment.members = self.members(span, &attributes, &segment);
        if kind.is_call() && ids.parent.is_none() {
            let caller = self.caller(span, &attributes, &segment);
            segment.parent_id = Some(caller.id);
            segments.push(caller);
        }
        segments.push(segment);
    }

    fn service_name(&mut self, span: &Span, attributes: &Attributes<'_>) -> Text {
        match (attributes.local_service, &self.sender.name) {
            (Some(name), _) => self.shared.share(&fit(name)),
            (None, Some(name)) => self.shared.share(&fit(name)),
            (None, None) => self.shared.share(&fit(&span.name)),
        }
    }

    fn called_name(&mut self, span: &Span, attributes: &Attributes<'_>, kind: Kind) -> Text {
        if let Some(name) = attributes.remote_service {
            let name = name.strip_prefix("AWS.SDK.").or_else(|| name.strip_prefix("AWS::")).unwrap_or(name);
            return self.shared.share(&fit(name));
        }
        match kind {
            Kind::Aws => self.shared.share(&fit(attributes.aws_service().unwrap_or(&span.name))),
            Kind::Sql => self.database_name(attributes),
            Kind::Remote => {
                let name = attributes.db_name.or(attributes.rpc_service).or(attributes.host).unwrap_or(&span.name);
                self.shared.share(&fit(name))
            }
            Kind::Local | Kind::Segment => self.shared.share(&fit(&span.name)),
        }
    }

    fn database_name(&mut self, attributes: &Attributes<'_>) -> Text {
        let system = self.shared.share(attributes.db_system.unwrap_or_default());
        let service = self.sender.name.clone().unwrap_or_else(|| self.shared.share(""));
        match (attributes.db_name, attributes.host) {
            (Some(database), Some(host)) => {
                let name = self.shared.share(&fit(&format!("{database}@{host}")));
                if self.databases.len() < MAX_DATABASES
                    || self.databases.contains_key(&(service.clone(), system.clone()))
                {
                    self.databases.insert((service, system), name.clone());
                }
                name
            }
            (Some(database), None) => self.shared.share(&fit(database)),
            _ => match self.databases.get(&(service, system.clone())) {
                Some(known) => self.shared.share(known),
                None if &*system == "postgresql" => self.shared.share("PostgreSQL"),
                None => self.shared.share(&fit(&system)),
            },
        }
    }

    fn http(&mut self, attributes: &Attributes<'_>) -> Http {
        let url = attributes.url.map(str::to_owned).or_else(|| {
            let path = attributes.path?;
            let query = attributes.query.filter(|query| !query.is_empty());
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let Some(host) = attributes.host else { return Some(format!("{path}{query}")) };
            let scheme = attributes.scheme.unwrap_or("http");
            let usual = if scheme == "https" { 443 } else { 80 };
            let port = attributes.port.filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{scheme}://{host}{port}{path}{query}"))
        });
        let mut share = |text: Option<&str>| text.and_then(|text| self.shared.share_some(text));
        Http {
            method: share(attributes.method),
            url: share(url.as_deref()),
            user_agent: share(attributes.user_agent),
            client_ip: share(attributes.client_ip),
            status: attributes.status,
            content_length: attributes.content_length,
        }
    }

    /// Attributes that `aws.xray.annotations` lists are what filter expressions find. X-Ray's keys are letters, digits, `_` and `.`.
    fn annotate(&mut self, segment: &mut Segment, span: &Span, attributes: &Attributes<'_>) {
        for key in &attributes.annotated {
            let found = span.attributes.iter().find(|attribute| attribute.key == *key);
            if let Some(value) = found.and_then(|attribute| value::scalar(attribute.value.as_ref())) {
                let fits = |next: char| next.is_ascii_alphanumeric() || matches!(next, '_' | '.');
                let key: String = key.chars().map(|next| if fits(next) { next } else { '_' }).collect();
                segment.annotations.push((self.shared.share(&key), value));
            }
        }
    }

    fn called_aws(&mut self, attributes: &Attributes<'_>, kind: Kind) -> Option<Text> {
        (kind == Kind::Aws).then_some(())?;
        let mut out = String::new();
        object(&mut out, |aws| {
            aws.maybe_text("operation", attributes.aws_operation());
            aws.maybe_text("account_id", attributes.account);
            aws.maybe_text("region", attributes.region);
            aws.maybe_text("request_id", attributes.request_id);
            aws.maybe_text("queue_url", attributes.queue_url);
            aws.maybe_text("table_name", attributes.table_name);
            aws.maybe_text("bucket_name", attributes.bucket);
        });
        (out.len() > 2).then(|| self.shared.share(&out))
    }

    fn members(&mut self, span: &Span, attributes: &Attributes<'_>, segment: &Segment) -> Option<Text> {
        let mut out = String::new();
        let mut members = Members::bare(&mut out);
        let is_segment = segment.kind == Kind::Segment;
        if let Some(service) = self.sender.service.as_deref().filter(|_| is_segment) {
            members.raw("service", service);
        }
        if segment.kind == Kind::Sql {
            members.object("sql", |sql| {
                let host = attributes.db_connection.or(attributes.host).unwrap_or("localhost");
                let port = attributes.port.map(|port| format!(":{port}")).unwrap_or_default();
                let database = attributes.db_name.unwrap_or_default();
                sql.text("url", &span.name);
                sql.text("connection_string", &format!("{host}{port}/{database}"));
                sql.maybe_text("database_type", attributes.db_system);
                sql.maybe_text("user", attributes.db_user);
                sql.maybe_text("sanitized_query", attributes.db_query);
            });
        }
        cause::write(&mut members, span, attributes, segment.id, segment.kind.is_call());
        let resource = if is_segment { self.sender.metadata.as_str() } else { "" };
        let rest = attributes.rest.iter().filter(|attribute| !attributes.annotated.contains(&attribute.key.as_str()));
        let mut rest = rest.peekable();
        if !resource.is_empty() || rest.peek().is_some() || attributes.error_type.is_some() {
            members.object("metadata", |metadata| {
                metadata.object("default", |default| {
                    for attribute in rest {
                        default.value(&attribute.key, |out| value::push(out, attribute.value.as_ref()));
                    }
                    default.maybe_text("error.type", attributes.error_type);
                    default.rest(resource);
                });
            });
        }
        self.shared.share_some(&out)
    }

    /// The service's own segment around a call that has no parent.
    fn caller(&mut self, span: &Span, attributes: &Attributes<'_>, call: &Segment) -> Segment {
        let name = self.service_name(span, attributes);
        let mut members = String::new();
        let mut writer = Members::bare(&mut members);
        if let Some(service) = &self.sender.service {
            writer.raw("service", service);
        }
        if !self.sender.metadata.is_empty() {
            writer.object("metadata", |metadata| metadata.object("default", |it| it.rest(&self.sender.metadata)));
        }
        Segment {
            end_time: call.end_time,
            error: call.error,
            fault: call.fault,
            throttle: call.throttle,
            origin: self.sender.origin.clone(),
            aws: self.sender.aws.clone(),
            members: self.shared.share_some(&members),
            ..Segment::new(call.trace_id, call.id.derived(1), name, call.start_time)
        }
    }
}

/// Nanoseconds since the epoch as seconds. Of today's times a double tells a quarter of a microsecond.
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// A name as X-Ray takes it: without what it does not allow, at most [`MAX_NAME`] long, never empty.
fn fit(name: &str) -> String {
    let fitting: String = name.chars().filter(|next| allowed_in_name(*next)).take(MAX_NAME).collect();
    if fitting.is_empty() { "span".into() } else { fitting }
}
