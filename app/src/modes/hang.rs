//! `hang`: no answer, ever. It ends when the caller goes (the request's future is dropped then) or the task shuts down.

use axum::response::{IntoResponse, Response};
use contract::ErrorType;

use crate::{error::AppError, state::App};

/// Waits for the shutdown and then gives way, so that a drain is not held up by what can never finish.
pub(super) async fn until_shutdown(app: &App) -> Response {
    app.lifecycle.draining().await;
    AppError::new(ErrorType::NotReady).into_response()
}
