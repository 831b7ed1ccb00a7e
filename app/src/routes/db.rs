//! `GET /db`: one real statement.
//!
//! The statement runs in a task of its own: a caller that goes, or our own deadline, must not leave a session half-read. It
//! is bounded all the same, by the database's `statement_timeout`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use opentelemetry::trace::FutureExt;
use serde_json::json;

use super::json_reply;
use crate::{
    database::{DatabaseError, visit},
    error::AppError,
    modes::{DatabaseFaults, leak},
    state::App,
};

pub(crate) async fn get(State(app): State<Arc<App>>, faults: Option<Extension<DatabaseFaults>>) -> Response {
    let faults = faults.map(|Extension(faults)| faults).unwrap_or_default();
    let theirs = Arc::clone(&app);
    let call = async move {
        if let Some((per_request, max)) = faults.leak {
            leak(&theirs, per_request, max).await?;
        }
        let held_by = faults.held_by.clone();
        tokio::select! {
            result = visit(&theirs.database, faults) => result,
            // The session goes with the statement that held it up; the visit is made on another one.
            () = theirs.failure.left(&held_by) => visit(&theirs.database, DatabaseFaults::default()).await,
        }
    };
    match tokio::spawn(call.with_current_context()).await.unwrap_or(Err(DatabaseError::Abandoned)) {
        Ok(visit) => json_reply(&json!({
            "database": "ok",
            "visits": visit.count,
            "backendPid": visit.backend_pid,
            "serverVersion": visit.server_version,
            "task": app.identity.task_id,
        })),
        Err(error) => AppError::from(error).into_response(),
    }
}
