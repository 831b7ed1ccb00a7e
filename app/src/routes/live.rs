//! `GET /live`: the process runs and its runtime turns.

use axum::response::Response;
use serde_json::json;

use super::json_reply;

pub(crate) async fn get() -> Response {
    json_reply(&json!({ "status": "alive" }))
}
