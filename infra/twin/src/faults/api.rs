//! `/_twin/faults`: GET lists what is active, PUT `/ssm` begins (or replaces) a fault of that service, DELETE `/ssm` ends it, and
//! DELETE without a service ends all.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, put},
};
use serde_json::{Value, json};

use super::fault::Fault;
use crate::services::Services;

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

pub(crate) fn router() -> Router<Arc<Services>> {
    Router::new().route("/", get(list).delete(end_all)).route("/{service}", put(begin).delete(end))
}

fn refused(status: StatusCode, message: impl Into<String>) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "message": message.into() })))
}

async fn list(State(services): State<Arc<Services>>) -> Json<Value> {
    let faults = services.faults().held();
    Json(json!({ "faults": faults.iter().map(|(service, fault)| fault.shown(service)).collect::<Vec<_>>() }))
}

async fn begin(State(services): State<Arc<Services>>, Path(service): Path<String>, body: Bytes) -> Answer {
    let Some(scope) = services.scopes().find(|scope| *scope == service) else {
        let known = services.scopes().collect::<Vec<_>>().join(", ");
        return Err(refused(
            StatusCode::BAD_REQUEST,
            format!("there is no service `{service}` here; known are {known}"),
        ));
    };
    let fault = Fault::read(&body).map_err(|reason| refused(StatusCode::BAD_REQUEST, reason))?;
    tracing::warn!(service, fault = %fault.shown(scope), "an outage begins");
    let shown = fault.shown(scope);
    services.faults().held().insert(scope, fault);
    Ok(Json(shown))
}

async fn end(State(services): State<Arc<Services>>, Path(service): Path<String>) -> Answer {
    match services.faults().held().remove(service.as_str()) {
        Some(fault) => Ok(Json(fault.shown(&service))),
        None => Err(refused(StatusCode::NOT_FOUND, format!("there is no outage of `{service}`"))),
    }
}

async fn end_all(State(services): State<Arc<Services>>) -> Json<Value> {
    services.faults().held().clear();
    Json(json!({ "faults": [] }))
}
