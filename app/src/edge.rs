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
    pin::Pin,
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
    /// The edge around [`router::public_routes`].
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
        Box::pin(async move { Ok(answer(app, routes, request).await) })
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

async fn answer(app: Arc<App>, routes: Router, request: Request) -> Response {
    let started = Instant::now();
    let request_id = RequestId::take_or_make(request.headers().get(REQUEST_ID));
    let trace = TraceHeader::take_or_start(request.headers().get(TRACE_ID));
    let path = request.uri().path();
    let span = ServerSpan::start(&trace, request.method().as_str(), router::label(path), path);
    let mut record = Record::new(&app, started, request_id, trace, &request, span);

    app.failure.before_request().await;
    let (hits, version) = app.failure.hits(&View(&request));
    record.hit_by(&hits);
    let mut response = record.span().around(run(&app, routes, request, &hits)).await;

    PendingBody::fill(&mut response, record.request_id().as_str());
    let headers = response.headers_mut();
    headers.reserve(6);
    headers.insert(REQUEST_ID, record.request_id().header());
    headers.insert(TRACE_ID, record.trace().header());
    headers.insert(TASK, app.task_header.clone());
    headers.insert(CONFIG_VERSION, version);
    if app.lifecycle.is_draining() {
        // The balancer's kept connections end with a reply, never between two requests.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    record.finish(&response);
    response
}

async fn run(app: &App, mut routes: Router, mut request: Request, hits: &[Arc<Active>]) -> Response {
    let work = async {
        if hits.is_empty() {
            return routes.call(request).await.into_response();
        }
        let handler = |faults| {
            request.extensions_mut().insert::<modes::DatabaseFaults>(faults);
            routes.call(request).map(IntoResponse::into_response)
        };
        // Boxed, so that the path without a fault does not carry the room that every fault together would need.
        modes::around(app, hits, handler).boxed().await
    };
    // A panic is a bug of one request, not of the connection it came on.
    let work = AssertUnwindSafe(work).catch_unwind();
    let result = if modes::never_answers(hits) {
        work.await
    } else {
        match tokio::time::timeout(app.config.request_timeout(), work).await {
            Ok(result) => result,
            Err(_) => return AppError::new(ErrorType::DeadlineExceeded).into_response(),
        }
    };
    result
        .unwrap_or_else(|_| AppError::new(ErrorType::InternalError).with_detail("the handler panicked").into_response())
}

#[cfg(test)]
mod tests;
