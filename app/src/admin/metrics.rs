//! `GET /metrics`: Prometheus text.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use contract::ErrorType;
use http::header;

use crate::{error::AppError, state::App};

pub(crate) async fn get(State(app): State<Arc<App>>) -> Response {
    match app.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => AppError::new(ErrorType::InternalError).with_detail(error.to_string()).into_response(),
    }
}
