//! The endpoint: every route on this screen.
//!
//! `/v1/traces` takes OpenTelemetry's spans as a collector beside the tasks would. `/_twin/…` (health, and faults for drills) and `/_ecs/…` (task metadata and task-role credentials) are paths of ours; no bucket can be named like any of them.
//! Everything else is an AWS API call, told apart by [`Call::of`] and answered by the service of that name in
//! [`crate::services`].

use std::{sync::Arc, time::Instant};

use axum::{
    Json, Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::header,
    middleware,
    response::Response,
    routing::{get, post},
};
use http_body_util::{BodyExt as _, Limited};
use twin_platform::AwsError;

use crate::{
    call::Call,
    door,
    faults::{self, Fate},
    hangup::Hangup,
    refusal::{self, Shape},
    services::Services,
};

/// The largest request that is taken into memory. The largest that the lab sends is a log batch of 1 MiB.
const BODY_LIMIT: usize = 32 << 20;

/// The endpoint's handlers share the services.
pub(crate) struct Endpoint;

impl Endpoint {
    pub(crate) fn router(services: Arc<Services>) -> Router {
        Router::new()
            .route("/_twin/health", get(health))
            .nest("/_twin/faults", faults::router())
            .route("/v1/traces", post(traces))
            .fallback(aws)
            .with_state(services.clone())
            .nest("/_ecs", services.ecs().metadata_router())
            // Outermost: nothing is read of a request that a web page sent.
            .layer(middleware::from_fn(door::keeper))
    }
}

/// For people and `doctor`; no client of AWS needs it.
async fn health(State(services): State<Arc<Services>>) -> Json<serde_json::Value> {
    Json(serde_json::json!({
        "status": "ok",
        "pid": std::process::id(),
        "database": services.database().status().word(),
        "limits": services.ecs().limits(),
        "services": services.scopes().collect::<Vec<_>>(),
    }))
}

/// OTLP/HTTP.
async fn traces(State(services): State<Arc<Services>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let answer = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => services
            .xray()
            .ingest_otlp_of(kind, &body.to_bytes(), |task_arn| services.permission().may_send_spans(task_arn)),
        Err(error) => {
            let (status, message) = match unread(&*error) {
                Unread::TooLarge => (413, format!("the body is larger than {} MiB", BODY_LIMIT >> 20)),
                Unread::Cut => (400, "the body is cut short".to_owned()),
            };
            services.xray().refuse_otlp(kind, status, message)
        }
    };
    refusal::to_http(answer, &parts.method)
}

/// An AWS API call.
async fn aws(
    State(services): State<Arc<Services>>,
    ConnectInfo(connection): ConnectInfo<Hangup>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let shape = Call::shape_without_body(&parts.method, &parts.uri, &parts.headers);
            return refusal::to_http(shape.render(&refused(unread(&*error), shape)), &parts.method);
        }
    };
    let call = match Call::of(&parts.method, &parts.uri, &parts.headers, &body) {
        Ok(call) => call,
        Err(error) => {
            let shape = refusal::shape_of(&parts.headers);
            return refusal::to_http(shape.render(&error), &parts.method);
        }
    };
    let uri = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let method = parts.method.as_str().to_owned();
    let request = twin_platform::Request { method, uri, headers: parts.headers, body };
    let Some(answer) = answer(&services, &call, request).await else {
        tracing::debug!(service = %call.service, action = %call.action, "hung up");
        connection.hang_up();
        return Response::new(Body::empty());
    };
    let took_ms = started.elapsed().as_secs_f64() * 1000.0;
    match answer.status {
        500.. => {
            tracing::warn!(service = %call.service, action = %call.action, status = answer.status, took_ms, "answered")
        }
        _ => {
            tracing::debug!(service = %call.service, action = %call.action, status = answer.status, took_ms, "answered")
        }
    }
    refusal::to_http(answer, &parts.method)
}

/// The one place that every call passes, named and whole, before its service sees it: what forbids it stands here. None is no
/// answer at all.
async fn answer(services: &Services, call: &Call, request: twin_platform::Request) -> Option<twin_platform::Response> {
    let Some(service) = services.get(&call.service) else {
        return Some(call.shape.render(&AwsError::not_implemented(&call.service, &call.action)));
    };
    let permission = services.permission();
    let task = permission.task_of(call);
    match services.faults().fate(call, task.is_some()) {
        Fate::Through => {}
        Fate::Late(latency) => tokio::time::sleep(latency).await,
        Fate::Answered(error) => return Some(call.shape.render(&error)),
        Fate::Closed => return None,
    }
    let Some(task) = task else { return Some(service.handle(request).await) };
    if let Err(denial) = permission.check(&task, call, &request).await {
        return Some(call.shape.render(&denial));
    }
    let asked = request.clone();
    let answer = service.handle(request).await;
    Some(permission.told(&task, call, &asked, answer))
}

/// Why a body was not read to its end.
#[derive(Clone, Copy)]
enum Unread {
    TooLarge,
    /// The caller ended it before its announced length. Whoever closed only the sending half still reads an answer.
    Cut,
}

fn unread(error: &(dyn std::error::Error + 'static)) -> Unread {
    if error.is::<http_body_util::LengthLimitError>() { Unread::TooLarge } else { Unread::Cut }
}

/// S3's words ("Error responses", API reference), and those that the other services share ("Common errors").
fn refused(unread: Unread, shape: Shape) -> AwsError {
    let (status, code, message) = match (unread, shape) {
        (Unread::TooLarge, Shape::S3) => {
            (400, "EntityTooLarge", format!("Your upload is larger than the {} MiB that are taken.", BODY_LIMIT >> 20))
        }
        (Unread::TooLarge, _) => {
            (413, "RequestEntityTooLargeException", format!("The request is larger than {} MiB.", BODY_LIMIT >> 20))
        }
        (Unread::Cut, Shape::S3) => {
            (400, "IncompleteBody", "The body has fewer bytes than the Content-Length header announces.".to_owned())
        }
        (Unread::Cut, _) => {
            (400, "RequestAbortedException", "The request was aborted before its body was complete.".to_owned())
        }
    };
    AwsError { status, code: code.into(), message }
}
