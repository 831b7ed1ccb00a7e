//! `GET /health`: every dependency, for people. `?detailed=true` adds latency, age and error of each.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use contract::ErrorType;
use http::{HeaderValue, StatusCode, header};

use super::{json_reply, query_value};
use crate::{
    error::{AppError, Logged},
    state::App,
};

pub(crate) async fn get(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let detailed = match query_value(query.as_deref(), "detailed") {
        None | Some("false" | "0") => false,
        Some("true" | "1" | "") => true,
        Some(other) => {
            return AppError::bad_request(format!("detailed is `{other}`; write true or false")).into_response();
        }
    };
    let checked = app.health.check(&app).await;
    let mut response = json_reply(&checked.document(&app, detailed));
    let failing = checked.failing();
    if !failing.is_empty() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        let logged = Logged { error_type: ErrorType::DependencyUnhealthy, detail: Some(failing.join("; ")) };
        response.extensions_mut().insert(logged);
    }
    response
}
