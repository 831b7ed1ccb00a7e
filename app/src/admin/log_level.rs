//! `GET` and `PUT /log-level`: the level filter. The body of a `PUT` is the filter itself, e.g. `info,sqlx=debug`.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{error::AppError, routes::json_reply, state::App};

pub(crate) async fn get(State(app): State<Arc<App>>) -> Response {
    json_reply(&json!({ "level": app.levels.current() }))
}

pub(crate) async fn put(State(app): State<Arc<App>>, body: String) -> Response {
    match app.levels.set(body.trim()) {
        Ok(()) => {
            tracing::info!(filter = %app.levels.current(), "the log level was changed");
            json_reply(&json!({ "level": app.levels.current() }))
        }
        Err(reason) => AppError::bad_request(reason).into_response(),
    }
}
