//! `GET /healthz`: shallow and constant-time. It asks no dependency: a balancer that restarts tasks because a database
//! blinked turns a blip into a storm.

use axum::response::Response;
use serde_json::json;

use super::json_reply;

pub(crate) async fn get() -> Response {
    json_reply(&json!({ "status": "ok" }))
}
