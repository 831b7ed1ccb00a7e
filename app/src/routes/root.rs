//! `GET /`: who answers.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use contract::names::route;
use serde::Serialize;

use super::json_reply;
use crate::{state::App, telemetry::SERVICE_NAME};

const ENDPOINTS: [&str; 7] =
    [route::ROOT, route::WORK, route::DB, route::HEALTHZ, route::LIVE, route::READY, route::HEALTH];

#[derive(Serialize)]
struct Identity<'a> {
    service: &'static str,
    version: &'a str,
    task: &'a str,
    az: &'a str,
    #[serde(rename = "uptimeS")]
    uptime_s: u64,
    endpoints: [&'static str; 7],
}

pub(crate) async fn get(State(app): State<Arc<App>>) -> Response {
    json_reply(&Identity {
        service: SERVICE_NAME,
        version: &app.config.service_version,
        task: &app.identity.task_id,
        az: &app.identity.availability_zone,
        uptime_s: app.identity.started.elapsed().as_secs(),
        endpoints: ENDPOINTS,
    })
}
