//! What surrounds every public request, in this order: identify it, ask for faults, run it within the deadline, dress the
//! reply, write the one log line.
//!
//! One service around the router instead of layers in it: a layer costs an allocation and a clone per request, and this is
//! the path whose cost is measured.

mod record;
mod request_id;

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{Router, extract::Request, response::IntoResponse, response::Response};
use contract::{ErrorType, failure::RequestView, names::header as lab};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, header};
use tower::Service;

use self::{record::Record, request_id::RequestId};
use crate::{
    error::{AppError, PendingBody},
    failure::Active,
    modes, router,
    state::App,
    telemetry::{ServerSpan, TraceHeader},
};

const REQUEST_ID: HeaderName = HeaderName::from_static(lab::REQUEST_ID);
const TRACE_ID: HeaderName = HeaderName::from_static(lab::TRACE_ID);
const TASK: HeaderName = HeaderName::from_static(lab::TASK);
const CONFIG_VERSION: HeaderName = HeaderName::from_static(lab::CONFIG_VERSION);

/// The public listener's service.
#[derive(Clone)]
pub struct Edge {
    app: Arc<App>,
    routes: Router,
}

impl Edge {
    /// The edge around the public routes.
    pub fn new(app: Arc<App>) -> Self {
        let routes = router::public_routes(Arc::clone(&app));
        Self { app, routes }
    }
}

impl Service<Request> for Edge {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (app, routes) = (Arc::clone(&self.app), self.routes.clone());
        Box::pin(answer(app, routes, request))
    }
}

/// A request as a fault's match sees it.
struct View<'a>(&'a Request);

impl RequestView for View<'_> {
    fn path(&self) -> &str {
        self.0.uri().path()
    }

    fn method(&self) -> &str {
        self.0.method().as_str()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }
}

async fn answer(app: Arc<App>, routes: Router, request: Request) -> Result<Response, Infallible> {
    let started = Instant::now();
    let request_id = RequestId::take_or_make(request.headers().get(REQUEST_ID));
    let trace = TraceHeader::take_or_start(request.headers().get(TRACE_ID));
    let path = request.uri().path();
    let span = ServerSpan::start(&trace, request.method().as_str(), router::label(path), path);
    let mut record = Record::new(&app, started, request_id, trace, &request, span);

    app.failure.before_request().await;
    let (hits, version) = app.failure.hits(&View(&request), started);
    record.hit_by(&hits);
    let mut response = record.span().around(run(&app, routes, request, &hits, started)).await;

    PendingBody::fill(&mut response, record.request_id().as_str());
    let (request_id, trace) = record.finish(&response);
    // No room is reserved: with the type and the length these fill the map's first size exactly, and a bigger one costs.
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, request_id.into_header());
    headers.insert(TRACE_ID, trace.into_header());
    headers.insert(TASK, app.task_header.clone());
    headers.insert(CONFIG_VERSION, version);
    if app.lifecycle.is_draining() {
        // The balancer's kept connections end with a reply, never between two requests.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Runs the request through its faults and its handler, until the deadline.
async fn run(app: &App, mut routes: Router, mut request: Request, hits: &[Arc<Active>], started: Instant) -> Response {
    let deadline = (!modes::never_answers(hits)).then(|| started + app.config.request_timeout());
    if hits.is_empty() {
        return bounded(pin!(routes.call(request).map(IntoResponse::into_response)), deadline).await;
    }
    let handler = |faults| {
        request.extensions_mut().insert::<modes::DatabaseFaults>(faults);
        routes.call(request).map(IntoResponse::into_response)
    };
    // Boxed, so that the path without a fault does not carry the room that every fault together would need.
    bounded(modes::around(app, hits, handler).boxed(), deadline).await
}

/// Takes the work by a pointer: a future is as large as the request in it, and each move copies that.
async fn bounded(work: impl Future<Output = Response> + Unpin, deadline: Option<Instant>) -> Response {
    // A panic is a bug of one request, not of the connection it came on.
    let work = AssertUnwindSafe(work).catch_unwind();
    let result = match deadline {
        None => work.await,
        Some(deadline) => match tokio::time::timeout_at(deadline.into(), work).await {
            Ok(result) => result,
            Err(_) => return AppError::new(ErrorType::DeadlineExceeded).into_response(),
        },
    };
    result
        .unwrap_or_else(|_| AppError::new(ErrorType::InternalError).with_detail("the handler panicked").into_response())
}

#[cfg(test)]
mod tests;
