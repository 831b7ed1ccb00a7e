//! `GET /ready`: 200 while the task takes traffic, 503 while it starts or drains.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use contract::ErrorType;
use serde_json::json;

use super::json_reply;
use crate::{error::AppError, state::App};

pub(crate) async fn get(State(app): State<Arc<App>>) -> Response {
    if app.lifecycle.is_ready() {
        return json_reply(&json!({ "status": "ready" }));
    }
    let phase = if app.lifecycle.is_draining() { "draining" } else { "starting" };
    AppError::new(ErrorType::NotReady).with_detail(phase).into_response()
}
