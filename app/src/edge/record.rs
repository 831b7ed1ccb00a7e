//! The one log line, the metric and the span's end of a request, whatever becomes of it.
//!
//! The latency runs from the request's head to the finished reply; every body of ours is complete by then, sending it is
//! not included. A caller that goes before is logged by the destructor with status 499, which no reply ever carries.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::Request, response::Response};
use contract::ErrorType;
use http::{Method, Uri};

use super::RequestId;
use crate::{
    error::Logged,
    failure::Active,
    modes, router,
    state::App,
    telemetry::{ServerSpan, TraceHeader, log::RequestLine},
};

/// What proxies write when the caller closed the connection first.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Longest path in a log line.
const MAX_PATH: usize = 2048;

pub(super) struct Record<'a> {
    app: &'a App,
    started: Instant,
    request_id: RequestId,
    trace: TraceHeader,
    method: Method,
    uri: Uri,
    span: ServerSpan,
    modes: Vec<&'static str>,
    hung: Option<ErrorType>,
    finished: bool,
}

impl<'a> Record<'a> {
    pub(super) fn new(
        app: &'a App,
        started: Instant,
        request_id: RequestId,
        trace: TraceHeader,
        request: &Request,
        span: ServerSpan,
    ) -> Self {
        Self {
            app,
            started,
            request_id,
            trace,
            method: request.method().clone(),
            uri: request.uri().clone(),
            span,
            modes: Vec::new(),
            hung: None,
            finished: false,
        }
    }

    /// Remembers the open faults by name, and that a caller who goes was made to wait.
    pub(super) fn hit_by(&mut self, hits: &[Arc<Active>]) {
        self.modes.extend(hits.iter().filter(|hit| !hit.is_blind).map(|hit| hit.fault.mode.name().as_str()));
        if modes::never_answers(hits) {
            self.hung =
                Some(if self.modes.is_empty() { ErrorType::DeadlineExceeded } else { ErrorType::InjectedFailure });
        }
    }

    pub(super) fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    pub(super) fn span(&self) -> &ServerSpan {
        &self.span
    }

    /// Writes everything down for a reply, and gives back what its headers name: moved, since each clone of a header's
    /// value that was made for one request costs an allocation.
    pub(super) fn finish(mut self, response: &Response) -> (RequestId, TraceHeader) {
        self.finished = true;
        let logged = response.extensions().get::<Logged>();
        let detail = logged.and_then(|logged| logged.detail.as_deref());
        self.write(response.status().as_u16(), logged.map(|logged| logged.error_type), detail);
        (mem::take(&mut self.request_id), mem::take(&mut self.trace))
    }

    fn write(&self, status: u16, error_type: Option<ErrorType>, detail: Option<&str>) {
        let latency: Duration = self.started.elapsed();
        let path = self.uri.path();
        let shown = path.get(..MAX_PATH).unwrap_or(path);
        self.app.log.request(&RequestLine {
            request_id: self.request_id.as_str(),
            trace_id: self.trace.id(),
            method: self.method.as_str(),
            path: shown,
            status,
            error_type,
            latency,
            detail,
            modes: &self.modes,
        });
        self.app.metrics.request(method_label(&self.method), router::label(path), status, latency);
        self.span.finish(status, error_type.map(ErrorType::as_str));
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.write(CLIENT_CLOSED_REQUEST, self.hung, Some("the caller closed the connection"));
        }
    }
}

/// Methods as the semantic conventions name them: callers cannot invent labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}
