//! `hang`: no answer while the mode lasts. It ends when the caller goes (the request's future is dropped then), when the mode
//! is left, or when the task shuts down.

use std::{slice, sync::Arc};

use axum::response::{IntoResponse, Response};
use contract::ErrorType;

use crate::{error::AppError, failure::Active, state::App};

/// Waits for the end of the mode, or for the shutdown: a drain is not held up by what can never finish.
pub(super) async fn until_left(app: &App, hit: &Arc<Active>) -> Response {
    tokio::select! {
        () = app.lifecycle.draining() => AppError::new(ErrorType::NotReady).into_response(),
        () = app.failure.left(slice::from_ref(hit)) => super::injected(503, hit.is_blind),
    }
}
