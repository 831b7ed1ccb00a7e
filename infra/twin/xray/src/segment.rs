//! A segment or a subsegment, whoever sent it.
//!
//! Texts are shared (`Arc<str>`): the spans of one batch say the same few things, and a balancer has one name.

use std::sync::Arc;

use crate::{SegmentId, TraceId};

/// A text that several segments may share.
pub type Text = Arc<str>;

/// `origin` of a load balancer's own segment. X-Ray's real balancers send none; the twin's does, so that a trace begins there.
pub const LOAD_BALANCER_ORIGIN: &str = "AWS::ElasticLoadBalancing::LoadBalancer";

/// A segment or subsegment (X-Ray developer guide, "AWS X-Ray segment documents").
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own identifier.
    pub id: SegmentId,
    /// The segment or subsegment it hangs under.
    pub parent_id: Option<SegmentId>,
    /// What it is.
    pub kind: Kind,
    /// The service that did the work; for a subsegment the one that was called. At most 200 characters.
    pub name: Text,
    /// Type of the AWS resource that did the work, such as `AWS::ECS::Container`.
    pub origin: Option<Text>,
    /// Seconds since the epoch.
    pub start_time: f64,
    /// Seconds since the epoch; none while it is in progress.
    pub end_time: Option<f64>,
    /// The caller's fault (4xx).
    pub error: bool,
    /// The server's fault (5xx).
    pub fault: bool,
    /// Too many requests (429).
    pub throttle: bool,
    /// The HTTP request that was served or made.
    pub http: Option<Box<Http>>,
    /// Who asked.
    pub user: Option<Text>,
    /// What filter expressions find: key and value.
    pub annotations: Vec<(Text, Scalar)>,
    /// ARN of the resource that did the work.
    pub resource_arn: Option<Text>,
    /// The `aws` block, a JSON object.
    pub(crate) aws: Option<Text>,
    /// Members that are only shown again – `service`, `cause`, `metadata`, `sql`, … – as JSON without the outer braces.
    pub(crate) members: Option<Text>,
}

/// What a [`Segment`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The work of one service on one request.
    Segment,
    /// A piece of that work.
    Local,
    /// A call to an AWS service (`namespace` `aws`).
    Aws,
    /// A call to something else (`namespace` `remote`).
    Remote,
    /// A call to an SQL database: `remote`, with an `sql` block.
    Sql,
}

impl Kind {
    /// Whether it calls another service.
    pub const fn is_call(self) -> bool {
        matches!(self, Self::Aws | Self::Remote | Self::Sql)
    }

    pub(crate) const fn namespace(self) -> Option<&'static str> {
        match self {
            Self::Segment | Self::Local => None,
            Self::Aws => Some("aws"),
            Self::Remote | Self::Sql => Some("remote"),
        }
    }
}

/// The `http` block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Http {
    /// `GET`, …
    pub method: Option<Text>,
    /// Protocol, host and path. Of a span without a host only the path is known, and only that is said.
    pub url: Option<Text>,
    /// The client's `User-Agent`.
    pub user_agent: Option<Text>,
    /// The client's IP address.
    pub client_ip: Option<Text>,
    /// Status of the response.
    pub status: Option<u16>,
    /// Bytes of the response's body.
    pub content_length: Option<i64>,
}

/// Value of an annotation.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A text.
    Text(Text),
}

impl Segment {
    /// A segment in progress since `start_time` (seconds since the epoch) about which nothing else is known.
    pub fn new(trace_id: TraceId, id: SegmentId, name: impl Into<Text>, start_time: f64) -> Self {
        Self {
            trace_id,
            id,
            parent_id: None,
            kind: Kind::Segment,
            name: name.into(),
            origin: None,
            start_time,
            end_time: None,
            error: false,
            fault: false,
            throttle: false,
            http: None,
            user: None,
            annotations: Vec::new(),
            resource_arn: None,
            aws: None,
            members: None,
        }
    }

    /// Sets error, fault and throttle as X-Ray does for a response of this status.
    pub fn judge(&mut self, status: u16) {
        self.error = (400..500).contains(&status);
        self.throttle = status == 429;
        self.fault = (500..600).contains(&status);
    }

    /// Seconds from start to end; none while it is in progress, never negative.
    pub fn duration(&self) -> Option<f64> {
        self.end_time.map(|end| (end - self.start_time).max(0.0))
    }

    /// Every text it holds.
    fn texts(&self) -> impl Iterator<Item = &Text> {
        let own = [&self.origin, &self.user, &self.resource_arn, &self.aws, &self.members];
        let http = self.http.as_deref();
        let http = http.map(|http| [&http.method, &http.url, &http.user_agent, &http.client_ip]);
        let annotations = self.annotations.iter().flat_map(|(key, value)| {
            let text = if let Scalar::Text(text) = value { Some(text) } else { None };
            [Some(key), text]
        });
        let some = own.into_iter().chain(http.into_iter().flatten()).filter_map(Option::as_ref);
        std::iter::once(&self.name).chain(some).chain(annotations.flatten())
    }

    /// Bytes of its texts: to a few hundred, the size of its document.
    pub(crate) fn text_bytes(&self) -> usize {
        self.texts().map(|text| text.len()).sum()
    }

    /// Bytes of memory beside `size_of::<Segment>()`. A shared text counts for its share.
    pub(crate) fn heap_bytes(&self) -> usize {
        let shares = self.texts().map(|text| (text.len() + 16) / Arc::strong_count(text).max(1));
        let http = self.http.as_ref().map_or(0, |_| size_of::<Http>());
        shares.sum::<usize>() + http + self.annotations.len() * size_of::<(Text, Scalar)>()
    }
}

/// A name as X-Ray takes it (same page, `name`): letters, numbers, white space and `_ . : / % & # = + \ - @`.
pub(crate) fn allowed_in_name(next: char) -> bool {
    next.is_alphanumeric() || next.is_whitespace() || "_.:/%&#=+\\-@".contains(next)
}

/// Longest name, in characters (same page).
pub(crate) const MAX_NAME: usize = 200;
