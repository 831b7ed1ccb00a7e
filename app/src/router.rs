//! Every route of both listeners.

use std::sync::Arc;

use axum::{Router, response::IntoResponse, routing::get};
use contract::{ErrorType, names::route};

use crate::{admin, error::AppError, routes, state::App};

/// The public routes, bare: no failure check, no log line, no headers. [`crate::Edge`] adds those around them, outside the
/// router, so that a 404 is logged and broken like any other reply.
pub(crate) fn public_routes(app: Arc<App>) -> Router {
    Router::new()
        .route(route::ROOT, get(routes::root::get))
        .route(route::WORK, get(routes::work::get))
        .route(route::DB, get(routes::db::get))
        .route(route::HEALTHZ, get(routes::healthz::get))
        .route(route::LIVE, get(routes::live::get))
        .route(route::READY, get(routes::ready::get))
        .route(route::HEALTH, get(routes::health::get))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

/// The admin routes; no failure mode reaches them.
pub(crate) fn admin_routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(admin::metrics::get))
        .route("/failure", get(admin::failure::get))
        .route("/log-level", get(admin::log_level::get).put(admin::log_level::put))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(axum::middleware::map_response(admin::finish))
        .with_state(app)
}

/// The route as metrics and spans name it: one of ours, or `other`, so that callers cannot invent labels.
pub(crate) fn label(path: &str) -> &'static str {
    const KNOWN: [&str; 7] =
        [route::ROOT, route::WORK, route::DB, route::HEALTHZ, route::LIVE, route::READY, route::HEALTH];
    KNOWN.into_iter().find(|known| *known == path).unwrap_or("other")
}

async fn not_found() -> impl IntoResponse {
    AppError::new(ErrorType::NotFound)
}

async fn method_not_allowed() -> impl IntoResponse {
    AppError::new(ErrorType::MethodNotAllowed)
}
