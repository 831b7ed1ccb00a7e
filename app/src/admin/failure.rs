//! `GET /failure`: desired and effective failure mode, age, effects held.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use crate::{failure::report, routes::json_reply, state::App};

pub(crate) async fn get(State(app): State<Arc<App>>) -> Response {
    json_reply(&report(&app))
}
